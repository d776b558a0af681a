import { parse } from 'yaml';
import { z } from 'zod';
import type { Workload } from '../../constructs/model/index.js';

/** How the files of rules are called that Prometheus is given. */
const RULES_FILE = /\.rules\.yml$/;

const Rules = z.object({ groups: z.array(z.object({ name: z.string() })) });

/** Names of the groups in the files of rules that a workload is given. */
export function ruleGroupsOf({ configFiles }: Pick<Workload, 'configFiles'>): readonly string[] {
  return configFiles.flatMap(({ path, content }) =>
    RULES_FILE.test(path) && typeof content === 'string'
      ? Rules.parse(parse(content)).groups.map(({ name }) => name)
      : [],
  );
}
