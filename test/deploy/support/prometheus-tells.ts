const some = (list: unknown): boolean => Array.isArray(list) && list.length > 0;

/** What Prometheus is asked, and how an answer looks that tells something. A stack without alerts has no rules. */
export const PROMETHEUS: readonly (readonly [path: string, holds: (data: unknown) => boolean])[] = [
  ['series?match[]={__name__=~".%2B"}', some],
  ['targets', (data) => some((data as { activeTargets: unknown }).activeTargets)],
  ['targets/metadata', some],
  ['status/config', (data) => (data as { yaml: string }).yaml.includes('scrape_configs')],
  ['status/flags', (data) => 'config.file' in (data as object)],
  ['rules', (data) => Array.isArray((data as { groups: unknown }).groups)],
];
