import type { FailureCode } from '../src/errors/catalogue.js';
import type { Path } from './located.js';
import { COLLECTION_RULES } from './rules/collections.js';
import { EMBEDDING_RULES } from './rules/embeddings.js';
import { EXTERNAL_RULES } from './rules/external.js';
import { EXTRA_SERVICE_RULES } from './rules/extra-services.js';
import { NAME_RULES } from './rules/names.js';
import { NETWORK_RULES } from './rules/network.js';
import { OWN_SECRET_RULES } from './rules/own-secrets.js';
import { POSTGRES_RULES } from './rules/postgres.js';
import { SERVICE_RULES } from './rules/services.js';
import { STATE_RULES } from './rules/state.js';
import { VLLM_RULES } from './rules/vllm.js';
import type { Settings } from './schema.js';
import { type ServiceClaims, servicesOf } from './services.js';

/** What a rule looks at. */
export interface RuleContext {
  readonly environment: string;
  readonly settings: Settings;
  readonly services: readonly ServiceClaims[];
  /** Whether the file, or the one that it extends, says something at a path, so that it is not a default. */
  readonly given: (path: Path) => boolean;
}

/** Settings that contradict each other, told at the one that most likely has to change. */
export interface Finding {
  /** @default 'CONFIG_RULE' */
  readonly code?: Extract<FailureCode, 'CONFIG_RULE' | 'NAME_CLASH'>;
  readonly path: Path;
  readonly message: string;
  readonly remedy: string;
  /** Other settings that it rests on; with one of them in doubt it is not reported. `*` stands for a mapping's keys. */
  readonly restsOn?: readonly Path[];
}

export type Rule = (context: RuleContext) => readonly Finding[];

const RULES: readonly Rule[] = [
  ...NETWORK_RULES,
  ...NAME_RULES,
  ...SERVICE_RULES,
  ...POSTGRES_RULES,
  ...VLLM_RULES,
  ...EMBEDDING_RULES,
  ...COLLECTION_RULES,
  ...EXTERNAL_RULES,
  ...OWN_SECRET_RULES,
  ...EXTRA_SERVICE_RULES,
  ...STATE_RULES,
];

/** Everything that the rules find in an environment's settings. */
export function applyRules(settings: Settings, environment: string, given: RuleContext['given']): readonly Finding[] {
  const context = { environment, settings, services: servicesOf(settings, environment), given };
  return RULES.flatMap((rule) => rule(context));
}
