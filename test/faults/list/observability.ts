import { editFile, restart } from '../support/changes.js';
import type { Fault, Undo } from '../support/fault.js';
import { isFull, onFullVolume } from '../support/small-volume.js';
import { dev, prod } from '../support/stacks.js';

const CONFIG = { service: 'prometheus', folder: '/etc/prometheus', file: 'prometheus.yml' } as const;
const RULES = { ...CONFIG, file: 'stack.rules.yml' } as const;
const DASHBOARDS = '/etc/grafana/dashboards';

/** A group whose expression fails whenever it is evaluated. */
const BROKEN_RULE = `
printf '  - name: broken\\n    rules:\\n      - alert: Broken\\n        expr: label_replace(up, "a", "b", "job", "(")\\n' >> "$FILE"
`;

interface Targets {
  readonly activeTargets: readonly { readonly health: string; readonly scrapeUrl: string }[];
}
interface Rules {
  readonly groups: readonly { readonly rules: readonly { readonly name: string; readonly health: string }[] }[];
}

/** Whether the last reload of the configuration failed. */
async function reloadFailed(): Promise<boolean> {
  const scrape = await dev.engine.execIn('prometheus', ['wget', '-q', '-O', '-', 'http://127.0.0.1:9090/metrics']);
  return /^prometheus_config_last_reload_successful 0$/m.test(scrape);
}

/** An answer of Grafana's API to its administrator; empty where it is no success. */
async function grafana(path: string): Promise<string> {
  const script =
    'wget -q -O - --header "Authorization: Basic $(printf "admin:%s" "$(cat /run/secrets/grafana-admin-password.v1)" | base64 | tr -d "\\n")" "http://127.0.0.1:3000$1" || true';
  return prod.engine.execIn('grafana', ['sh', '-c', script, 'sh', path]);
}

/** A dashboard that is there, of whatever name. */
async function aDashboard(): Promise<string> {
  const [first = ''] = (await prod.engine.execIn('grafana', ['sh', '-c', `ls ${DASHBOARDS}`])).trim().split('\n');
  return first;
}

let removed = '';

export const OBSERVABILITY_FAULTS: readonly Fault[] = [
  {
    name: 'Prometheus’ configuration cannot be read',
    deployment: dev,
    breaks: () => editFile(dev, CONFIG, `echo 'scrape_configs: none' >> "$FILE"`),
    isBroken: reloadFailed,
    expects: { service: 'prometheus', check: 'configuration' },
  },
];

export const WHOLE_OBSERVABILITY_FAULTS: readonly Fault[] = [
  {
    name: 'a scrape target has another port',
    deployment: prod,
    breaks: () =>
      editFile(
        prod,
        CONFIG,
        `sed -i 's/${prod.engine.nameOf('rag-api')}:9091/${prod.engine.nameOf('rag-api')}:8999/' "$FILE"`,
      ),
    isBroken: async () => {
      const { activeTargets } = await prod.prometheus<Targets>('targets?state=active');
      return activeTargets.some(({ health, scrapeUrl }) => scrapeUrl.includes(':8999') && health === 'down');
    },
    expects: { service: 'prometheus', check: 'targets' },
  },
  {
    name: 'a rule fails whenever it is evaluated',
    deployment: prod,
    breaks: () => editFile(prod, RULES, BROKEN_RULE),
    isBroken: async () => {
      const { groups } = await prod.prometheus<Rules>('rules');
      return groups.some(({ rules }) => rules.some(({ name, health }) => name === 'Broken' && health === 'err'));
    },
    expects: { service: 'prometheus', check: 'rules' },
  },
  {
    name: 'the rules were removed',
    deployment: prod,
    // The configuration goes on naming the file, which Prometheus takes for a pattern that nothing fits.
    breaks: () => editFile(prod, RULES, 'rm "$FILE"'),
    isBroken: async () => (await prod.prometheus<Rules>('rules')).groups.length === 0,
    expects: { service: 'prometheus', check: 'rules' },
  },
  {
    name: 'Prometheus’ volume of 200 MB is full',
    deployment: prod,
    breaks: () => onFullVolume(prod, 'prometheus', '/prometheus'),
    isBroken: () => isFull(prod, 'prometheus', '/prometheus'),
    expects: { service: 'prometheus', check: 'stores samples' },
  },
  {
    name: 'Prometheus tells no Alertmanager',
    deployment: prod,
    breaks: () => editFile(prod, CONFIG, `sed -i 's/${prod.engine.nameOf('alertmanager')}:9093/127.0.0.1:9/' "$FILE"`),
    isBroken: async () => {
      const { activeAlertmanagers } = await prod.prometheus<{ activeAlertmanagers: readonly { url: string }[] }>(
        'alertmanagers',
      );
      return activeAlertmanagers.length > 0 && activeAlertmanagers.every(({ url }) => url.includes('127.0.0.1:9/'));
    },
    expects: { service: 'prometheus', check: 'alertmanagers' },
  },
  {
    name: 'a dashboard was removed',
    deployment: prod,
    breaks: async (): Promise<Undo> => {
      removed = await aDashboard();
      return editFile(prod, { service: 'grafana', folder: DASHBOARDS, file: removed }, 'rm "$FILE"');
    },
    isBroken: async () => {
      const uid = (removed || (await aDashboard())).replace(/\.json$/, '');
      return !(await grafana(`/api/dashboards/uid/${uid}`)).includes(uid);
    },
    expects: { service: 'grafana', check: 'dashboards' },
  },
  {
    name: 'Grafana’s data source leads elsewhere',
    deployment: prod,
    breaks: async () => {
      const file = { service: 'grafana', folder: '/etc/grafana/provisioning/datasources', file: 'ragdock.yaml' };
      const restore = await editFile(prod, file, `sed -i 's/:9090/:9999/' "$FILE"`);
      await restart(prod, 'grafana');
      return async () => {
        await restore();
        await restart(prod, 'grafana');
      };
    },
    isBroken: async () => (await grafana('/api/datasources')).includes(':9999'),
    expects: { service: 'grafana', check: 'data source' },
  },
];
