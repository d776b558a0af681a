import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';

/** The shortest environment that is valid. */
export const MINIMAL = `schema: 1
services:
  llm:
    main:
      engine: llama.cpp
      model:
        name: tiny
        file: tiny.gguf
        url: https://models.example/tiny.gguf
        sha256: ${'ab'.repeat(32)}
  api:
    courses: [demo]
`;

/** A project's folder that lasts as long as the test, with these files of config/environments. */
export function project(files: Readonly<Record<string, string | Uint8Array>> = {}): string {
  const cwd = mkdtempSync(join(tmpdir(), 'ragdock-'));
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) put(cwd, `config/environments/${name}`, content);
  return cwd;
}

/** Write a file below a project's folder. */
export function put(cwd: string, file: string, content: string | Uint8Array): void {
  mkdirSync(dirname(join(cwd, file)), { recursive: true });
  writeFileSync(join(cwd, file), content);
}

/** An environment: `MINIMAL` with each `from` replaced by `to`, each of which has to be there once. */
export function changed(...changes: readonly (readonly [from: string, to: string])[]): string {
  return changes.reduce((text, [from, to]) => {
    if (text.split(from).length !== 2) throw new Error(`'${from}' is not there exactly once`);
    return text.replace(from, () => to);
  }, MINIMAL);
}
