import { inspectEnvironments } from '../../config/load.js';
import type { Problem } from '../../src/errors/problem.js';
import { project } from './project.js';

/** The problems of one environment, `dev.yaml`, that has this content. */
export function problemsOf(
  content: string | Uint8Array,
  others: Readonly<Record<string, string>> = {},
): readonly Problem[] {
  return inspectEnvironments(['dev'], { cwd: project({ 'dev.yaml': content, ...others }) }).problems;
}

/** `CODE line:column path` of a problem; `base.yaml` before the line where it is in another file. */
export function brief({ code, file, line, column, path }: Problem): string {
  const name = file?.replace('config/environments/', '').replace(/^dev\.yaml$/, '') ?? '';
  const place = line === undefined ? name : [name, line, column].filter((part) => part !== '').join(':');
  return [code, place, path].filter((part) => part !== undefined && part !== '').join(' ');
}

/** Takes the one `▶` out of a text, and tells where it was as `line:column`. */
export function marked(text: string): { readonly content: string; readonly at: string } {
  const [before = '', after, ...more] = text.split('▶');
  if (after === undefined || more.length > 0) throw new Error('the text has to hold one ▶');
  const lines = before.split('\n');
  return { content: before + after, at: `${lines.length}:${(lines.at(-1) ?? '').length + 1}` };
}
