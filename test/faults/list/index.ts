import type { Fault } from '../support/fault.js';
import { APP_FAULTS } from './apps.js';
import { CONTAINER_FAULTS, WATCHER_CONTAINER_FAULTS } from './containers.js';
import { CREDENTIAL_FAULTS, WATCHER_CREDENTIAL_FAULTS } from './credentials.js';
import { EMBEDDING_FAULTS } from './embeddings.js';
import { LLM_FAULTS, WHOLE_LLM_FAULTS } from './llm.js';
import { NETWORK_FAULTS } from './network.js';
import { OBSERVABILITY_FAULTS, WHOLE_OBSERVABILITY_FAULTS } from './observability.js';
import { POSTGRES_FAULTS, WHOLE_POSTGRES_FAULTS } from './postgres.js';
import { QDRANT_FAULTS, WHOLE_QDRANT_FAULTS } from './qdrant.js';

/** Every way to break a stack: first those of dev, then those of prod, so that a part needs one of them, seldom both. */
export const FAULTS: readonly Fault[] = [
  ...CONTAINER_FAULTS,
  ...CREDENTIAL_FAULTS,
  ...QDRANT_FAULTS,
  ...POSTGRES_FAULTS,
  ...LLM_FAULTS,
  ...NETWORK_FAULTS,
  ...OBSERVABILITY_FAULTS,
  ...APP_FAULTS,
  ...WATCHER_CONTAINER_FAULTS,
  ...WATCHER_CREDENTIAL_FAULTS,
  ...WHOLE_QDRANT_FAULTS,
  ...WHOLE_POSTGRES_FAULTS,
  ...WHOLE_LLM_FAULTS,
  ...EMBEDDING_FAULTS,
  ...WHOLE_OBSERVABILITY_FAULTS,
];
