import { run } from '../../support/run.js';

/**
 * Run a command to its end and give its output. What the caller's environment says about npm, cdktf and ragdock is left
 * out.
 */
export async function succeed(command: readonly string[], cwd: string): Promise<string> {
  const { PATH = '', HOME = '' } = process.env;
  const ended = await run(command, { cwd, env: { PATH, HOME }, timeoutSeconds: 240 });
  if (ended.code === 0) return ended.stdout;
  throw new Error(`${command.join(' ')} ended with ${ended.code}\n${ended.stdout}${ended.stderr}`);
}
