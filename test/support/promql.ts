import { parser } from '@prometheus-io/lezer-promql';

/** One use of a metric in a query. */
export interface Use {
  readonly metric: string;
  readonly labels: readonly string[];
  /** Inside a function that takes the growth of a counter. */
  readonly inRate: boolean;
}

export interface ParsedQuery {
  /** Where the parser stumbled. */
  readonly errors: readonly string[];
  readonly uses: readonly Use[];
  /** Labels of every grouping. */
  readonly groupings: readonly string[];
}

const GROWTH = /^(rate|irate|increase)$/;

/** Grafana replaces these before Prometheus sees the query. */
export function withoutMacros(query: string): string {
  return query
    .replaceAll('$__rate_interval', '5m')
    .replaceAll('$__range', '1h')
    .replaceAll('$__interval', '1m')
    .replace(/\$\w+/g, 'x');
}

/** What a query is made of, by Prometheus' own grammar. */
export function parseQuery(query: string): ParsedQuery {
  const text = withoutMacros(query);
  const errors: string[] = [];
  const uses: Use[] = [];
  const groupings: string[] = [];
  const functions: string[] = [];
  parser.parse(text).iterate({
    enter(node) {
      const at = text.slice(node.from, node.to);
      if (node.type.isError) errors.push(text.slice(Math.max(0, node.from - 20), node.to + 20));
      if (node.name === 'FunctionCall') functions.push(/^\w+/.exec(at)?.[0] ?? '');
      if (node.name === 'GroupingLabels') groupings.push(...(at.match(/\w+/g) ?? []));
      if (node.name === 'VectorSelector') {
        const metric = node.node.getChild('Identifier');
        const labels = [...at.matchAll(/([A-Za-z_]\w*)\s*(?:=~|!~|!=|=)/g)].map(([, label]) => label ?? '');
        uses.push({
          metric: metric ? text.slice(metric.from, metric.to) : '',
          labels,
          inRate: functions.some((name) => GROWTH.test(name)),
        });
      }
    },
    leave(node) {
      if (node.name === 'FunctionCall') functions.pop();
    },
  });
  return { errors, uses, groupings };
}
