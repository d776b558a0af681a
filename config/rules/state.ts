import { nearest } from '../../src/errors/nearest.js';
import type { Finding, Rule } from '../rules.js';
import { holdsPassword } from '../secret-names.js';
import { PLACEHOLDERS, placeholdersIn } from '../secret-store.js';
import { stateFileOf } from '../state.js';
import { secretsInState } from '../state-secrets.js';

const stateHoldsNoSecret: Rule = ({ settings: { state } }) =>
  state === undefined
    ? []
    : secretsInState(state).map(({ path, message, remedy }) => ({
        path: ['state', 'config', ...path],
        message,
        remedy,
        restsOn: [['state', 'backend']],
      }));

/** `cloud` is a block of its own beside the backends. */
const stateIsABackend: Rule = ({ settings: { state } }) =>
  state?.backend === 'cloud'
    ? [
        {
          path: ['state', 'backend'],
          message: 'cloud is no backend',
          remedy: 'Use `backend: remote` with hostname, organization and workspaces.',
        },
      ]
    : [];

const sharedStateSharesSecrets: Rule = ({ environment, settings: { state, secrets } }) => {
  if (secrets.shared || stateFileOf(state, environment, '/') !== undefined) return [];
  return [
    {
      path: ['secrets', 'shared'],
      message: 'every machine would have secrets of its own for one stack: the state is shared',
      remedy: 'Set `secrets.shared: true`, or leave `state` out.',
      restsOn: [['state', 'backend']],
    },
  ];
};

const commandBelongsToItsStore: Rule = ({ settings: { secrets } }) => {
  if (secrets.store === 'command' && secrets.command === undefined) {
    return [
      {
        path: ['secrets', 'store'],
        message: 'the store command has no command that prints values',
        remedy: "Add `command:` with program and arguments, such as `[vault-read, '{env}/{name}']`.",
        restsOn: [['secrets', 'command']],
      },
    ];
  }
  if (secrets.store !== 'command' && secrets.command !== undefined) {
    return [
      {
        path: ['secrets', 'command'],
        message: `nothing would run the command: the store is ${secrets.store}`,
        remedy: 'Set `secrets.store: command`, or take the command out.',
        restsOn: [['secrets', 'store']],
      },
    ];
  }
  return [];
};

const fileBelongsToItsStore: Rule = ({ settings: { secrets } }) => {
  const { file, store } = secrets;
  if (file === undefined) return [];
  if (store !== 'sops') {
    return [
      {
        path: ['secrets', 'file'],
        message: `nothing would read the encrypted file: the store is ${store}`,
        remedy: 'Set `secrets.store: sops`, or take the file out.',
        restsOn: [['secrets', 'store']],
      },
    ];
  }
  const folders = file.split('/').slice(0, -1);
  if (folders.includes('..') || folders.includes('.')) {
    return [
      {
        path: ['secrets', 'file'],
        message: 'the encrypted file is committed with the project, and this path leads elsewhere',
        remedy: 'Name a path inside the project without `.` and `..`, such as `config/secrets/prod.sops.yaml`.',
      },
    ];
  }
  if (folders.join('/') === 'config/environments' || folders[0] === '.ragdock') {
    return [
      {
        path: ['secrets', 'file'],
        message: `${folders.join('/')} holds other files, which are read or ignored as a whole`,
        remedy: 'Use another folder, such as `config/secrets`.',
      },
    ];
  }
  return [];
};

const encryptedFileIsShared: Rule = ({ settings: { secrets } }) =>
  secrets.store === 'sops' && !secrets.shared
    ? [
        {
          path: ['secrets', 'shared'],
          message: 'every machine has the values of the encrypted file, so they are shared',
          remedy: 'Leave `secrets.shared` out, or use the store files.',
          restsOn: [['secrets', 'store']],
        },
      ]
    : [];

const commandNamesTheSecret: Rule = ({ settings: { secrets } }) => {
  const { command } = secrets;
  if (command === undefined) return [];
  const found = placeholdersIn(command);
  const unknown = found
    .filter(({ name }) => !PLACEHOLDERS.some((known) => known === name))
    .map(({ index, name }): Finding => {
      const meant = nearest(name, PLACEHOLDERS);
      return {
        path: ['secrets', 'command', index],
        message: `there is no placeholder {${name}}`,
        remedy: meant ? `Did you mean \`{${meant}}\`?` : `Known: {${PLACEHOLDERS.join('}, {')}}.`,
      };
    });
  if (unknown.length > 0 || found.some(({ name }) => name === 'name')) return unknown;
  return [
    {
      path: ['secrets', 'command'],
      message: 'no argument holds {name}, so every secret would have the same value',
      remedy: 'Put `{name}` where the program takes the name of the secret.',
    },
  ];
};

const commandCanRun: Rule = ({ settings: { secrets } }) =>
  (secrets.command ?? []).flatMap((argument, index): Finding[] => {
    const path = ['secrets', 'command', index];
    if (argument.includes('\0') || (index === 0 && argument.trim() === '')) {
      return [{ path, message: 'names no program', remedy: 'Put the name or the path of a program there.' }];
    }
    if (!holdsPassword(argument)) return [];
    return [
      {
        path,
        message: 'the URL holds a password; everybody who may read this file would see it',
        remedy: 'Take it out; the program gets the environment variables of the command that runs it.',
      },
    ];
  });

export const STATE_RULES: readonly Rule[] = [
  stateHoldsNoSecret,
  stateIsABackend,
  sharedStateSharesSecrets,
  commandBelongsToItsStore,
  fileBelongsToItsStore,
  encryptedFileIsShared,
  commandNamesTheSecret,
  commandCanRun,
];
