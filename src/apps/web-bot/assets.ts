import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BUNDLE_FOLDER, packageRoot } from '../bundle.js';

/** One file of the page, as it is served. */
export interface Asset {
  readonly body: Buffer;
  readonly type: string;
  /** Entity tag, quotes included. */
  readonly etag: string;
}

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

const SOCKET_IO_CLIENT = 'socket.io.min.js';

/** Read the page once; keys are URL paths. Fails when a file has no known type. */
export async function readAssets(files: readonly string[] = locateFiles()): Promise<ReadonlyMap<string, Asset>> {
  const assets = await Promise.all(files.map(async (file) => [urlPath(file), await readAsset(file)] as const));
  return new Map(assets);
}

/**
 * The page's files. `static/` lies beside this module in the source tree, and beside the bundle that contains it; a
 * module that was compiled takes the bundle's. The bundle's holds the Socket.IO client too, which in the source tree is
 * the installed package's.
 */
function locateFiles(): string[] {
  const beside = fileURLToPath(new URL('./static/', import.meta.url));
  const folder = existsSync(beside) ? beside : join(packageRoot(), BUNDLE_FOLDER, 'static');
  const packed = join(folder, SOCKET_IO_CLIENT);
  const client = existsSync(packed) ? packed : installedClient();
  return [...new Set([...readdirSync(folder).map((name) => join(folder, name)), client])];
}

function installedClient(): string {
  const manifest = createRequire(import.meta.url).resolve('socket.io/package.json');
  return join(dirname(manifest), 'client-dist', SOCKET_IO_CLIENT);
}

async function readAsset(file: string): Promise<Asset> {
  const type = CONTENT_TYPES[extname(file)];
  if (type === undefined) throw new Error(`${file}: no content type is known for this file`);
  const body = await readFile(file);
  return { body, type, etag: `"${createHash('sha256').update(body).digest('base64url')}"` };
}

function urlPath(file: string): string {
  const name = basename(file);
  return name === 'index.html' ? '/' : `/${name}`;
}
