import type { Problem } from '../../errors/problem.js';
import { RagdockError } from '../../errors/problem.js';
import { encryptedFile, readEncryptedFile } from './encrypted-file.js';
import { runSops, type SopsOptions } from './program.js';

/**
 * Whether those who may read the file are those that the rule for its path names: somebody who has left reads on until
 * the file is encrypted anew. Keys of age alone are compared, and only where there is a rule.
 */
export async function checkRecipients(options: SopsOptions): Promise<readonly Problem[]> {
  const { cwd, file } = options;
  const { recipients } = readEncryptedFile(cwd, file);
  const wanted = recipients.length === 0 ? undefined : await recipientsByRule(options);
  if (wanted === undefined) return [];
  const tooMany = recipients.filter((recipient) => !wanted.includes(recipient));
  const missing = wanted.filter((recipient) => !recipients.includes(recipient));
  const remedy = `Run \`sops updatekeys ${file}\` and commit the file. What somebody has read stays known to them: new values lock them out.`;
  const problem = (message: string): Problem => ({ code: 'SOPS_RECIPIENTS', file, message, remedy });
  return [
    ...tooMany.map((it) => problem(`it is encrypted for ${it} as well, whom .sops.yaml does not name`)),
    ...missing.map((it) => problem(`it is not encrypted for ${it}, whom .sops.yaml names`)),
  ];
}

/** What sops itself makes of .sops.yaml: it encrypts a word for that path, which goes nowhere. */
async function recipientsByRule(options: SopsOptions): Promise<readonly string[] | undefined> {
  const { file } = options;
  const args = ['encrypt', '--input-type', 'json', '--output-type', 'yaml', '--filename-override', file];
  try {
    return encryptedFile(await runSops(args, options, '{"probe":"probe"}'), file).recipients;
  } catch (error) {
    if (error instanceof RagdockError && error.code === 'SOPS_RECIPIENTS') return undefined;
    throw error;
  }
}
