import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { bareApp, type Stack } from './bare-app.js';
import { type Pair, summarise, timePairs } from './pairs.js';

// What the synthesis of all environments costs, against an app that makes the same resources with the classes of the
// provider and nothing else. Both run as whole processes from compiled JavaScript, in turn, so that what slows the
// machine slows both. It measures and judges nothing.

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Below node_modules, so that the app finds its packages. */
const CACHE = join(ROOT, 'node_modules/.cache/ragdock-bench');

const { values } = parseArgs({ options: { pairs: { type: 'string', default: '11' } } });
const folder = mkdtempSync(join(tmpdir(), 'ragdock-bench-'));
try {
  const ragdock = { name: 'ragdock', cwd: join(folder, 'ragdock'), program: join(ROOT, 'dist/src/main.js') };
  const bare = { name: 'bare provider', cwd: join(folder, 'bare'), program: join(CACHE, 'bare.mjs') };
  cpSync(join(ROOT, 'config/environments'), join(ragdock.cwd, 'config/environments'), { recursive: true });
  mkdirSync(bare.cwd);

  // The first run of each is not counted, and says what there is to compare.
  timePairs([ragdock, ragdock], 1);
  mkdirSync(CACHE, { recursive: true });
  const stacks = stacksIn(ragdock.cwd);
  writeFileSync(bare.program, bareApp(stacks));
  timePairs([bare, bare], 1);
  refuseDifferences(stacks, stacksIn(bare.cwd));

  process.stdout.write(report(timePairs([ragdock, bare], Number(values.pairs)), stacks));
} finally {
  rmSync(folder, { recursive: true });
}

function stacksIn(cwd: string): ReadonlyMap<string, Stack> {
  const out = join(cwd, 'cdktf.out/stacks');
  const read = (name: string) => JSON.parse(readFileSync(join(out, name, 'cdk.tf.json'), 'utf8')) as Stack;
  return new Map(readdirSync(out).map((name) => [name, read(name)]));
}

/** Another amount of work would be compared otherwise. */
function refuseDifferences(ofRagdock: ReadonlyMap<string, Stack>, ofBare: ReadonlyMap<string, Stack>): void {
  for (const [name, stack] of ofRagdock) {
    for (const [address, resource] of resourcesOf(stack)) {
      const other = resourcesOf(ofBare.get(name)).get(address);
      if (!isDeepStrictEqual(other, resource))
        throw new Error(
          `${name}: ${address} is not the same in both apps: ${JSON.stringify(resource)} and ${JSON.stringify(other)}`,
        );
    }
  }
}

/** Resources by address, without the comments that say where each comes from. */
function resourcesOf(stack: Stack | undefined): ReadonlyMap<string, unknown> {
  const entries = Object.entries(stack?.resource ?? {}).flatMap(([type, byId]) =>
    Object.entries(byId).map(([id, { '//': _comment, ...rest }]) => [`${type}.${id}`, rest] as const),
  );
  return new Map(entries);
}

function report(pairs: readonly Pair[], stacks: ReadonlyMap<string, Stack>): string {
  const resources = [...stacks.values()].reduce((sum, stack) => sum + resourcesOf(stack).size, 0);
  const row = (name: string, { median, least, most }: ReturnType<typeof summarise>, unit: string): string =>
    `${name.padEnd(14)}  ${median.toFixed(2)}${unit}  (${least.toFixed(2)} to ${most.toFixed(2)})\n`;
  return [
    `${[...stacks.keys()].join(', ')}: ${resources} resources; ${pairs.length} pairs, medians\n`,
    row('ragdock', summarise(pairs.map(([seconds]) => seconds)), ' s'),
    row('bare provider', summarise(pairs.map(([, seconds]) => seconds)), ' s'),
    row('ratio', summarise(pairs.map(([a, b]) => a / b)), '  '),
  ].join('');
}
