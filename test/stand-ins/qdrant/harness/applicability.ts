import type { Recorded } from './recording.js';

/** Paths of the real server that ragdock does not use, and that the stand-in does not serve. */
const UNUSED_PATHS: readonly RegExp[] = [
  /^\/telemetry\b/,
  /^\/cluster$/,
  /^\/issues$/,
  /^\/quotas$/,
  /^(\/collections\/[^/]+)?(\/shards\/\d+)?\/snapshots\b/,
  /^\/collections\/[^/]+\/(cluster|optimizations)$/,
  /^\/collections\/[^/]+\/points\/(search|recommend)$/,
  /^\/collections\/[^/]+\/points\/query\/groups$/,
  /^\/collections\/[^/]+\/vectors\/[^/]+$/,
];

/** Exchanges on served paths whose answer needs what an unserved path or a measurement did before. */
const NEEDS_UNRECORDED_STATE = new Map<string, string>([
  ...[
    'count_after_recover',
    'count_restored',
    'restored_query_bm25',
    'restored_info',
    'count_after_garbage_upload',
    'collections_after_failed_uploads',
    'count_restored_h',
    'cleanup_restored',
    'cleanup_restored_np',
    'cleanup_restored_f',
    'cleanup_restored_h',
  ].map((name) => [name, 'state: a restored snapshot'] as const),
  ['collection_info_after_load', 'state: the points of a load that was only measured'],
  ...['idf_query_common', 'idf_query_rare', 'idf_query_rare_filtered', 'idf_corpus_filter_param'].map(
    (name) => [name, 'state: points that the recording does not hold'] as const,
  ),
  ['collection_after_vector_add', 'state: a vector added by a path not served'],
]);

/** Why an exchange cannot be replayed, as a class for the table; undefined when it can. */
export function notApplicable(exchange: Recorded): string | undefined {
  if (exchange.method === null || exchange.path === null) {
    return 'measurement, not an exchange';
  }
  const path = exchange.path.replace(/\?.*$/, '');
  if (UNUSED_PATHS.some((pattern) => pattern.test(path))) {
    return 'path not used by ragdock';
  }
  if (Object.values(exchange.requestHeaders).some((value) => /^(Bearer )?eyJ[\w-]+\.[\w-]+\.[\w-]+$/.test(value))) {
    return 'JSON web token, not used by ragdock';
  }
  if (exchange.path.includes('anonymize=true')) {
    return 'anonymised metrics, not used by ragdock';
  }
  if (exchange.status === 507) {
    return 'disk quota, not used by ragdock';
  }
  return NEEDS_UNRECORDED_STATE.get(exchange.name);
}
