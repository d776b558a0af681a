/** How the recorded server was started, and what had been done to it that the recording does not show. */
export interface Phase {
  /** The first exchange for this server. */
  readonly from: string;
  readonly env?: Readonly<Record<string, string>>;
  /** `keep`: the same storage as before, after this end of the server. */
  readonly storage: 'fresh' | { readonly keepAfter: 'SIGTERM' | 'SIGKILL' };
}

export interface Step {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  /** An answer that is expected to be a refusal. */
  readonly refused?: boolean;
}

/** The collection that nearly every recorded exchange is about. */
const COURSES = {
  vectors: { dense: { size: 8, distance: 'Cosine' } },
  sparse_vectors: { bm25: { modifier: 'idf' } },
};
const VECTOR = [-0.7313, 0.6949, 0.5275, -0.4899, -0.0091, -0.101, 0.3032, 0.5774];

const createCourses: Step = { method: 'PUT', path: '/collections/courses', body: COURSES };
const createG: Step = { method: 'PUT', path: '/collections/g', body: COURSES };

function upsert(collection: string, point: unknown, refused = false): Step {
  const path = `/collections/${collection}/points?wait=true`;
  return { method: 'PUT', path, body: { points: [point] }, refused };
}

export const PHASES: readonly Phase[] = [
  { from: 'get_root', storage: 'fresh' },
  {
    from: 'auth_no_key_root',
    storage: 'fresh',
    env: {
      QDRANT__SERVICE__API_KEY: 'rec-admin-key-0123456789',
      QDRANT__SERVICE__READ_ONLY_API_KEY: 'rec-readonly-key-0123456789',
      QDRANT__SERVICE__METRICS_PORT: 'any free one',
    },
  },
  { from: 'empty_api_key_no_key', storage: 'fresh', env: { QDRANT__SERVICE__API_KEY: '' } },
  { from: 'ro_only_no_key', storage: 'fresh', env: { QDRANT__SERVICE__READ_ONLY_API_KEY: 'ro-only-0123456789' } },
  { from: 'dur_create', storage: 'fresh' },
  { from: 'dur_after_kill_collections', storage: { keepAfter: 'SIGKILL' } },
  { from: 'http10_host', storage: 'fresh' },
  {
    from: 'recovery_mode_root',
    storage: { keepAfter: 'SIGTERM' },
    env: { QDRANT__STORAGE__RECOVERY_MODE: 'operator says so' },
  },
  {
    from: 'max_collections_first',
    storage: 'fresh',
    env: {
      QDRANT__STORAGE__MAX_COLLECTIONS: '1',
      QDRANT__SERVICE__MAX_REQUEST_SIZE_MB: '1',
      QDRANT__SERVICE__METRICS_PREFIX: 'qdrant_',
      QDRANT__SERVICE__ENABLE_CORS: 'false',
    },
  },
  { from: 'big_id_upsert', storage: 'fresh' },
  { from: 'defaults_upsert', storage: 'fresh' },
  { from: 'alias_make', storage: 'fresh' },
  { from: 'point10_after_restart', storage: { keepAfter: 'SIGTERM' } },
];

/** What has to be done before an exchange because the recording only shows its effect. */
export const SETUP: ReadonlyMap<string, readonly Step[]> = new Map([
  ['http10_host', [createCourses]],
  [
    'big_id_upsert',
    [
      createCourses,
      upsert('courses', { id: 10, vector: { dense: VECTOR } }),
      upsert('courses', { id: 1, vector: { densee: VECTOR } }, true),
    ],
  ],
  ['defaults_upsert', [createCourses]],
  [
    'no_idf_upsert',
    [{ method: 'PUT', path: '/collections/noidf', body: { sparse_vectors: { bm25: {} } } } satisfies Step],
  ],
  ['alias_make', [createCourses]],
  ['rejected_overwrite', [createG, upsert('g', { id: 10, vector: { dense: VECTOR }, payload: { good: 1 } })]],
]);
