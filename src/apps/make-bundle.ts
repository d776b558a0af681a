import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import { build } from 'esbuild';
import { type BundleManifest, filesBelow, MANIFEST, STATIC, sha256, versionOf } from './bundle.js';
import { CARRIER_DOCKERFILE, CARRIER_FILE, dockerfile } from './dockerfile.js';

/** Code that only runs when its native or optional part is installed, which it is not in the image. */
const OPTIONAL = ['pg-native', 'bufferutil', 'utf-8-validate'];

/** Sources that decide what the output is without being in it. */
const RECIPE = ['constructs/images.ts', 'src/apps/dockerfile.ts', 'src/apps/make-bundle.ts'];

/** CommonJS packages inside an ES module still ask for Node's own modules by `require`. */
const REQUIRE =
  "import { createRequire as requireOf } from 'node:module';\nconst require = requireOf(import.meta.url);";

/**
 * Makes the context of the bundled apps' image from the package at `root` in the folder `output`, which is emptied
 * first. The same sources give the same bytes, on any machine and in any folder; synth relies on it.
 */
export async function makeBundle(root: string, output: string): Promise<void> {
  rmSync(output, { recursive: true, force: true });
  mkdirSync(output, { recursive: true });
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: { 'ragdock-apps': 'src/apps/main.ts', health: 'src/apps/health.ts' },
    outdir: output,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    external: OPTIONAL,
    banner: { js: REQUIRE },
    legalComments: 'linked',
    charset: 'utf8',
    metafile: true,
    logLevel: 'warning',
  });
  const copied = copyStatic(root, output);
  writeFileSync(join(output, 'Dockerfile'), dockerfile(copied.length > 0));
  writeFileSync(join(output, CARRIER_FILE), CARRIER_DOCKERFILE);
  const manifest = manifestOf(root, [...Object.keys(metafile.inputs), ...copied, ...RECIPE]);
  writeFileSync(join(output, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
}

/** The page of the web bot, and the client library that it loads. Gives the sources' paths. */
function copyStatic(root: string, output: string): string[] {
  const folder = join(root, STATIC);
  if (!existsSync(folder)) return [];
  const files = filesBelow(folder);
  for (const file of files) copy(join(folder, file), join(output, 'static', file));
  const socketIo = dirname(createRequire(import.meta.url).resolve('socket.io/package.json'));
  copy(join(socketIo, 'client-dist/socket.io.min.js'), join(output, 'static/socket.io.min.js'));
  return files.map((file) => `${STATIC}/${file}`);
}

function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
}

function manifestOf(root: string, inputs: readonly string[]): BundleManifest {
  const paths = [...new Set(inputs)].map((path) => path.split(sep).join('/')).sort();
  const packages = new Map<string, string>();
  const sources = new Map<string, string>();
  for (const path of paths) {
    // The innermost package that the file belongs to: packages may carry others.
    const folder = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0];
    if (folder === undefined) sources.set(path, sha256(readFileSync(join(root, path))));
    else packages.set(folder, versionOf(root, folder) ?? missing(folder));
  }
  return { sources: Object.fromEntries(sources), packages: Object.fromEntries(packages) };
}

function missing(folder: string): never {
  throw new Error(`${folder} has no package.json`);
}
