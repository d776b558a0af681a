/**
 * Every failure that a user can cause or meet, in one table. The keys are public API: `docs/errors.md` is generated
 * from it, and scripts may depend on them. `exit` is the process's exit code: 1 a check failed, 2 wrong input,
 * 3 something could not be reached.
 */
export interface Failure {
  readonly title: string;
  readonly remedy: string;
  readonly exit: 1 | 2 | 3;
}

/** Title, remedy and exit code of each failure, by its code. */
export const FAILURES = {
  // Reading the environment file
  FILE_UNREADABLE: {
    title: 'A file could not be read',
    remedy: 'Check that the path exists and that you may read it.',
    exit: 2,
  },
  FILE_TOO_LARGE: {
    title: 'A file is larger than an environment file may be',
    remedy: 'Keep environment files below 128 KiB; large content belongs in files of its own.',
    exit: 2,
  },
  FILE_NOT_UTF8: {
    title: 'A file is not UTF-8 text',
    remedy: 'Save the file as UTF-8 without a byte that belongs to another encoding.',
    exit: 2,
  },
  YAML_SYNTAX: {
    title: 'The YAML cannot be parsed',
    remedy: 'Correct the line named; indent with spaces, not tabs.',
    exit: 2,
  },
  YAML_DUPLICATE_KEY: {
    title: 'A key is given twice in one mapping',
    remedy: 'Remove one of the two; YAML readers disagree about which one counts.',
    exit: 2,
  },
  YAML_ALIASES: {
    title: 'Aliases expand to far more than was written',
    remedy: 'Write the values out; environment files need no aliases.',
    exit: 2,
  },
  FILE_EXISTS: {
    title: 'A file that was to be made is there already',
    remedy: 'Use another name, or remove the file.',
    exit: 2,
  },
  FILE_UNWRITABLE: {
    title: 'A file could not be written',
    remedy: 'Check that its folder can be made, that you may write there, and that the disk has room.',
    exit: 2,
  },
  // What it says
  CONFIG_SCHEMA: {
    title: 'A value does not fit the schema',
    remedy: 'Use a value of the kind that the message names; `ragdock validate --print` shows all settings.',
    exit: 2,
  },
  CONFIG_UNKNOWN_KEY: {
    title: 'A key is not known',
    remedy: 'Remove it, or correct its spelling; the message names the nearest known key.',
    exit: 2,
  },
  CONFIG_RULE: {
    title: 'Settings contradict each other',
    remedy: 'Change one of the settings that the message names.',
    exit: 2,
  },
  EXTENDS_INVALID: {
    title: '`extends` names something that cannot be extended',
    remedy: 'Extend one existing file of the same folder that has `template: true` and no `extends` of its own.',
    exit: 2,
  },
  ENVIRONMENT_UNKNOWN: {
    title: 'There is no such environment',
    remedy: 'Use a name of a file in config/environments, or create the file.',
    exit: 2,
  },
  NAME_CLASH: {
    title: 'Two environments or services claim one name, port or path',
    remedy: 'Rename one, or publish one on another port.',
    exit: 2,
  },
  // What has been promised
  LOCK_MISSING: {
    title: 'The environment has no lock file',
    remedy: 'Run `ragdock lock ENV` and commit the file that it writes.',
    exit: 2,
  },
  LOCK_STALE: {
    title: 'The environment file and its lock file disagree',
    remedy: 'Run `ragdock lock ENV` and commit the change.',
    exit: 2,
  },
  LOCK_INVALID: {
    title: 'The lock file is damaged',
    remedy: 'Restore it from version control; it is written by `ragdock lock ENV` only.',
    exit: 2,
  },
  LOCK_PROMISE_BROKEN: {
    title: 'A change would break a promise of the lock file',
    remedy: 'Undo the change, or follow the steps that the message names; they keep or move the data.',
    exit: 2,
  },
  NETWORK_POOL_EXHAUSTED: {
    title: 'The pool of networks has no free subnet',
    remedy: 'Set `host.networkPool` to a larger range.',
    exit: 2,
  },
  // Secrets
  SECRET_MISSING: {
    title: 'A secret has no value in the store',
    remedy: 'Run `ragdock secrets init ENV`.',
    exit: 2,
  },
  SECRET_UNKNOWN: {
    title: 'There is no such secret in this environment',
    remedy: '`ragdock secrets list ENV` shows the names.',
    exit: 2,
  },
  SECRET_KNOWN_TO_LOCK: {
    title: 'The lock file knows this secret, but the store does not hold its value',
    remedy:
      'Copy the value from the machine that has it (`ragdock secrets set`); inventing another would lock the running services out.',
    exit: 2,
  },
  SECRET_MISMATCH: {
    title: 'The stored value is not the one that the lock file knows',
    remedy: 'Restore the value that the lock file knows: copy it from the machine that has it.',
    exit: 2,
  },
  SECRET_IN_PLACE: {
    title: 'A secret has another value already, which may be deployed',
    remedy:
      'Rotate it (`ragdock secrets rotate ENV NAME`): a version that changes would lock out whoever has read it. `--replace` where the stored value is wrong, or was never deployed.',
    exit: 2,
  },
  SECRET_UNPROMISED: {
    title: 'The lock file has no fingerprint of a secret that is to be fetched',
    remedy: 'Run `ragdock secrets init ENV` once, where the values are known to be right, and commit the lock file.',
    exit: 2,
  },
  SECRET_COMMAND_FAILED: {
    title: 'The command that prints a secret gave no value',
    remedy:
      'Run it by hand: it has to print the value, to end with exit code 0, and to ask nothing. A value that does not exist yet is made where the command reads it; `openssl rand -hex 32` gives a strong one.',
    exit: 3,
  },
  SOPS_MISSING: {
    title: 'The program sops cannot be run',
    remedy: 'Install sops 3.11 or newer on this machine, where PATH finds it; `sops --version` shows whether it does.',
    exit: 3,
  },
  SOPS_KEY_MISSING: {
    title: 'This machine has no key to the encrypted file of secrets',
    remedy:
      'Name the file of a recipient’s key in SOPS_AGE_KEY_FILE, or let somebody who has one add yours: its public half into .sops.yaml, then `sops updatekeys FILE`.',
    exit: 3,
  },
  SOPS_RECIPIENTS: {
    title: 'It is not said who may read the encrypted file of secrets',
    remedy: 'Add a creation rule for its path to .sops.yaml, such as `creation_rules: [{age: age1…}]`.',
    exit: 2,
  },
  SOPS_FILE_CLEAR: {
    title: 'A file of secrets is not encrypted',
    remedy:
      'Take it for known to everybody who could read it. Remove it, from the history of git too, and run `ragdock secrets init ENV` for new values.',
    exit: 2,
  },
  SOPS_FILE_DAMAGED: {
    title: 'The encrypted file of secrets is damaged',
    remedy: 'Restore it from version control; change it with `ragdock secrets` or with `sops` alone.',
    exit: 2,
  },
  SOPS_FAILED: {
    title: 'sops did not do what it was asked for',
    remedy: 'Run it by hand: `sops decrypt FILE`. sops has to be 3.11 or newer.',
    exit: 3,
  },
  SECRET_STORE_UNFIT: {
    title: 'The store of the environment’s secrets cannot do that',
    remedy: 'Do it where the values are kept: `secrets.store` in the environment file says where.',
    exit: 2,
  },
  SECRET_NOT_NEW: {
    title: 'A secret that is rotated has got the value that it had before',
    remedy: 'Make a new value first, where the values come from; for each version a value of its own.',
    exit: 2,
  },
  SECRET_KEEPS_DATA: {
    title: 'A new version of this secret would make stored data unreadable',
    remedy: 'Leave it as it is. If it has leaked, change what it protects, as the page of its service says.',
    exit: 2,
  },
  SECRET_UNSAFE: {
    title: 'A secret is unsafe as it is stored',
    remedy: 'Follow the remedy beside it; generated secrets (`ragdock secrets init`) satisfy every check.',
    exit: 2,
  },
  // The model and its engine
  MODEL_INVALID: {
    title: 'A construct was given values that contradict each other',
    remedy: 'Change the construct call that the message names.',
    exit: 2,
  },
  ENGINE_UNSUPPORTED: {
    title: 'The engine cannot express a property of the model',
    remedy: 'Leave the property out, or choose an engine that knows it.',
    exit: 2,
  },
  BUNDLE_MISSING: {
    title: 'The bundled apps have not been built',
    remedy: 'Run `npm run build`.',
    exit: 2,
  },
  BUNDLE_STALE: {
    title: 'The bundled apps are older than their sources',
    remedy: 'Run `npm run build`.',
    exit: 2,
  },
  // Reaching a running stack
  ENGINE_UNREACHABLE: {
    title: 'The Docker engine does not answer',
    remedy: 'Start it, or correct `host.docker`; `docker version` shows whether it answers.',
    exit: 3,
  },
  STACK_NOT_DEPLOYED: {
    title: 'The environment does not run on this engine',
    remedy: 'Run `npx cdktf deploy ENV --auto-approve --skip-provider-lock`.',
    exit: 3,
  },
  SESSION_FAILED: {
    title: 'The operator session ended before it was done',
    remedy: 'Read the lines above; `docker logs` of the service named there shows the cause.',
    exit: 3,
  },
  API_REFUSED: {
    title: 'The RAG API refused the request',
    remedy: 'Read the code that the API gave; its log holds the cause under the request id.',
    exit: 1,
  },
  DOCUMENT_DAMAGED: {
    title: 'A document is not what its name says',
    remedy: 'Open it in the program that it is for and save it again; the other documents were ingested.',
    exit: 1,
  },
  DOCUMENT_ENCODING: {
    title: 'A document is in an encoding that is not known for sure',
    remedy: 'Save it as UTF-8; a page may declare another encoding by `<meta charset="…">`.',
    exit: 1,
  },
  DOCUMENT_ENCRYPTED: {
    title: 'A document is protected by a password',
    remedy: 'Save a copy without a password; ragdock takes none.',
    exit: 1,
  },
  DOCUMENT_LINE: {
    title: 'A line of a file of questions and answers is no pair',
    remedy: 'Correct the line named and run the command again; the other lines were ingested.',
    exit: 1,
  },
  DOCUMENT_NO_TEXT: {
    title: 'A document holds no text',
    remedy: 'Recognise the text of a scanned document first, with `ocrmypdf -l rus+eng IN OUT` for instance.',
    exit: 1,
  },
  DOCUMENT_TIMEOUT: {
    title: 'A document takes too long to read',
    remedy: 'Divide it, or save it again in the program that it is for; the other documents were ingested.',
    exit: 1,
  },
  DOCUMENT_TOO_LARGE: {
    title: 'A document is larger than its format may be',
    remedy: 'Divide it into several documents.',
    exit: 1,
  },
  INGEST_FAILED: {
    title: 'Documents could not be ingested',
    remedy: 'Correct the files named and run the command again; what was ingested stays and is not doubled.',
    exit: 1,
  },
  JUDGED_SET_INVALID: {
    title: 'A set of judged questions cannot be used',
    remedy: 'Correct the lines named: `corpus.jsonl`, `queries.jsonl` and `qrels.tsv` in the layout of BEIR.',
    exit: 2,
  },
  MEASURING_FAILED: {
    title: 'The questions of a judged set could not all be asked',
    remedy: 'Remove the cause and run the command again; what it made in Qdrant is removed.',
    exit: 3,
  },
  MODEL_FILE_MISMATCH: {
    title: 'The model file is not the one that the environment names',
    remedy: 'Use the file whose SHA-256 the environment names, or change `sha256` there.',
    exit: 2,
  },
  MODEL_FOLDER_INCOMPLETE: {
    title: 'The folder does not hold a whole model',
    remedy: 'Copy the model once more: config.json, its tokenizer and every file of its weights.',
    exit: 2,
  },
  SMOKE_FAILED: {
    title: 'The running stack does not answer as it should',
    remedy: 'Read the failed checks; each names the service, what was expected and what came.',
    exit: 1,
  },
  STATUS_UNHEALTHY: {
    title: 'Not everything of the environment runs and is healthy',
    remedy: 'Read what the table says of the services named; `ragdock logs ENV SERVICE` shows what they wrote.',
    exit: 1,
  },
  DOCTOR_FOUND: {
    title: 'Something is wrong with the environment',
    remedy: 'Begin with the first finding: what follows may be a consequence of it.',
    exit: 1,
  },
  DOCTOR_BUNDLE_UNWRITABLE: {
    title: 'The bundle of `ragdock doctor` cannot be written',
    remedy: 'Name a file in a folder that exists, has room, and that you may write to.',
    exit: 2,
  },
  LOGS_UNMASKABLE: {
    title: 'Logs cannot be printed without the risk of printing a secret',
    remedy:
      'Copy the values to this machine (`ragdock secrets set`), deploy the environment, or accept the risk with `--allow-unmasked`.',
    exit: 2,
  },
  // The embedded default
  PORT_IN_USE: {
    title: 'The port cannot be taken',
    remedy: 'Choose another one with `--port`; 0 takes any that is free.',
    exit: 2,
  },
  DATA_FOLDER_IN_USE: {
    title: 'Another process uses the data folder',
    remedy: 'End that process, or use a folder of its own with `--data-dir`.',
    exit: 2,
  },
  DATA_FOLDER_UNUSABLE: {
    title: 'The data folder cannot be used',
    remedy:
      'Name a folder that is empty, missing or made by `ragdock up`, and that you may write to, with `--data-dir`.',
    exit: 2,
  },
  DATA_FOLDER_TOO_NEW: {
    title: 'The data folder was made by a newer version of ragdock',
    remedy: 'Use that version, or a folder of its own for this one with `--data-dir`. Nothing in it was changed.',
    exit: 2,
  },
  DATA_FOLDER_DAMAGED: {
    title: 'The database in the data folder does not start',
    remedy: 'Move the folder aside to begin anew, or restore it from a copy.',
    exit: 1,
  },
  DISK_FULL: {
    title: 'The disk has no room for the data',
    remedy:
      'Free some space, or use a folder on another disk with `--data-dir`. Nothing that was acknowledged is lost.',
    exit: 1,
  },
  LLM_UNREACHABLE: {
    title: 'The model server does not answer as one',
    remedy: 'Start it, or correct `--llm-url`; without that option answers quote the material.',
    exit: 3,
  },
  // The command line
  USAGE: {
    title: 'The command line is not understood',
    remedy: '`ragdock --help` shows the commands and their options.',
    exit: 2,
  },
  INTERNAL: {
    title: 'ragdock met a fault of its own',
    remedy: 'Run again with RAGDOCK_DEBUG=1 and report the stack trace that it prints.',
    exit: 1,
  },
} as const satisfies Record<string, Failure>;

/** `CONFIG_SCHEMA`, `LOCK_STALE` and so on: the keys of `FAILURES`. */
export type FailureCode = keyof typeof FAILURES;
