import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { planLock } from '../../../config/lock.js';
import type { Lock } from '../../../config/lock-schema.js';
import { applyRules } from '../../../config/rules.js';
import { EnvironmentSchema, type Settings } from '../../../config/schema.js';
import { type Workload, workloadsOf } from '../../../constructs/model/index.js';
import { giveVolumesToTheirOwners } from '../../../constructs/services/index.js';
import { promisesOf } from '../../../stacks/promises.js';
import { RagServices } from '../../../stacks/rag-services.js';
import { type Synthesised, synthesiseWorkloads } from '../../support/synth.js';
import { ROOT } from './markdown.js';

const NAME = 'dev';

/** The settings of `dev` with some laid over them, as `extends` does it. Throws when they are not accepted. */
export function settingsWith(over: unknown): Settings {
  const dev = parse(readFileSync(join(ROOT, 'config/environments/dev.yaml'), 'utf8'));
  const settings = EnvironmentSchema.parse(merged(dev, over));
  const findings = applyRules(settings, NAME, () => false);
  if (findings.length > 0) throw new Error(findings.map(({ message }) => message).join('\n'));
  return settings;
}

function merged(base: unknown, over: unknown): unknown {
  if (!isMapping(base) || !isMapping(over)) return over ?? base;
  // Two models of different engines have nothing to be merged.
  if (base.engine !== undefined && over.engine !== undefined && base.engine !== over.engine) return over;
  const entries = Object.entries(over).map(([key, value]) => [key, merged(base[key], value)]);
  return { ...base, ...Object.fromEntries(entries) };
}

const isMapping = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The lock of `dev` with these settings; what `known` promises stays promised. */
function lockOf(settings: Settings, known?: Lock): Lock {
  const promises = promisesOf(settings, NAME);
  // A page may show a server elsewhere in the place of one of `dev`.
  const left = Object.keys(promises.elsewhere ?? {}).filter((id) => known?.volumes[id] !== undefined);
  // Nor were its collections made before: what a page shows with vectors has them from the beginning.
  const lock = known && { ...known, collections: structuredClone({ ...promises.collections }) };
  return planLock({ name: NAME, file: `${NAME}.yaml`, settings, lock }, promises, left);
}

export const DEV_LOCK: Lock = lockOf(settingsWith({}));

export interface Stack extends Synthesised {
  readonly workloads: ReadonlyMap<string, Workload>;
}

/** The stack of `dev` with settings of its own. */
export function devWith(over: unknown): Stack {
  const settings = settingsWith(over);
  const workloads = new Map<string, Workload>();
  const synthesised = synthesiseWorkloads(
    (stack) => {
      new RagServices(stack, settings);
      giveVolumesToTheirOwners(stack);
      for (const workload of workloadsOf(stack)) workloads.set(workload.node.id, workload);
    },
    lockOf(settings, DEV_LOCK),
    { environment: NAME },
  );
  return { ...synthesised, workloads };
}

export const DEV: Stack = devWith({});
