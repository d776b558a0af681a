import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { ROOT } from '../../support/environments.js';
import { succeed } from './succeed.js';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Path of the packed package. */
    readonly tarball: string;
    /** Paths of the files in it. */
    readonly packed: readonly string[];
  }
}

/** Packs the project, which builds it. */
export default async function setup(project: TestProject): Promise<() => void> {
  const folder = mkdtempSync(join(tmpdir(), 'ragdock-package-'));
  const report = await succeed(['npm', 'pack', '--json', '--silent', '--pack-destination', folder], ROOT);
  // The build speaks first.
  const [{ filename, files }] = JSON.parse(report.slice(report.indexOf('[')));
  project.provide('tarball', join(folder, filename));
  project.provide(
    'packed',
    files.map(({ path }: { path: string }) => path),
  );
  return () => rmSync(folder, { recursive: true });
}
