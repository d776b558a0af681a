import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { RagdockError } from '../errors/problem.js';

/** Where the build puts the bundled apps, from the package's root. It is the context of their image. */
export const BUNDLE_FOLDER = 'dist/apps';

/** The record of a build beside its output; not part of the image. */
export const MANIFEST = 'manifest.json';

/** The page of the web bot, copied as it is. */
export const STATIC = 'src/apps/web-bot/static';

/** Present in the source tree only: an installed package has nothing that its bundle could be older than. */
const SOURCE_ENTRY = 'src/apps/main.ts';

/** What the bundled apps were made from. Paths are relative to the package's root and use `/`. */
export const BundleManifest = z.strictObject({
  /** SHA-256 of each source file. */
  sources: z.record(z.string(), z.string()),
  /** Version of each package whose code is in the bundle, by its folder. */
  packages: z.record(z.string(), z.string()),
});
export type BundleManifest = z.output<typeof BundleManifest>;

/** The bundled apps, ready to become an image. */
export interface Bundle {
  /** Absolute path of the image's build context. */
  readonly context: string;
  /** 12 hexadecimal digits of a digest of everything in the image. */
  readonly hash: string;
}

/**
 * Finds the bundled apps of this package.
 *
 * @param root - @default - the package that this module belongs to
 * @throws RagdockError BUNDLE_MISSING, or BUNDLE_STALE when the source tree is there and differs from what was built
 */
export function readBundle(root: string = packageRoot()): Bundle {
  const context = join(root, BUNDLE_FOLDER);
  const manifest = readManifest(join(context, MANIFEST));
  if (existsSync(join(root, SOURCE_ENTRY))) refuseStale(root, manifest);
  return { context, hash: hashOf(context) };
}

/** The folder with the package.json above this module. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) {
    const above = dirname(folder);
    if (above === folder) throw new Error('ragdock has lost its package.json');
    folder = above;
  }
  return folder;
}

/** All files below a folder, relative to it, sorted, with `/` between the names. */
export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => lstatSync(join(folder, path)).isFile())
    .map((path) => path.split(sep).join('/'))
    .sort();
}

export function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** The version that a package's folder holds now; undefined when it is gone. */
export function versionOf(root: string, folder: string): string | undefined {
  const file = join(root, folder, 'package.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version : undefined;
}

function readManifest(file: string): BundleManifest {
  if (!existsSync(file)) throw new RagdockError({ code: 'BUNDLE_MISSING', file, message: 'there is no such file' });
  return BundleManifest.parse(JSON.parse(readFileSync(file, 'utf8')));
}

function refuseStale(root: string, { sources, packages }: BundleManifest): void {
  const page = existsSync(join(root, STATIC)) ? filesBelow(join(root, STATIC)).map((file) => `${STATIC}/${file}`) : [];
  const changed = [
    // A module that was added is imported by one that changed; a file of the page is not.
    ...page.filter((file) => !(file in sources)),
    ...Object.entries(sources)
      .filter(([file, digest]) => !existsSync(join(root, file)) || sha256(readFileSync(join(root, file))) !== digest)
      .map(([file]) => file),
    ...Object.entries(packages)
      .filter(([folder, version]) => versionOf(root, folder) !== version)
      .map(([folder]) => folder),
  ];
  if (changed.length === 0) return;
  const shown = changed.slice(0, 3).join(', ');
  const more = changed.length > 3 ? ` and ${changed.length - 3} more` : '';
  throw new RagdockError({
    code: 'BUNDLE_STALE',
    file: BUNDLE_FOLDER,
    message: `changed since it was built: ${shown}${more}`,
  });
}

function hashOf(context: string): string {
  const lines = filesBelow(context)
    .filter((file) => file !== MANIFEST)
    .map((file) => `${sha256(readFileSync(join(context, file)))}  ${file}\n`);
  return sha256(lines.join('')).slice(0, 12);
}
