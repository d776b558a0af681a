import { JOB_SETTINGS_VARIABLE } from '../../src/apps/jobs/settings.js';
import type { FileContext, Workload, WorkloadProps } from '../model/index.js';

/** uid and gid of the bundled apps' image, and of the images beside it that have no user of their own. */
export const APPS_USER = { uid: 1000, gid: 1000 };

/** How long a job waits for a server that is still starting. A database that recovers needs minutes. */
export const JOB_DEADLINE_SECONDS = 300;

const SETTINGS_FILE = '/etc/ragdock/settings.json';

/** Node's own variable for certificates of private authorities, which it trusts besides the public ones. */
export const TRUST_VARIABLE = 'NODE_EXTRA_CA_CERTS';

/** What every container of the bundled apps' image has in common. */
export function bundledApp(
  command: string,
): Pick<WorkloadProps, 'image' | 'user' | 'command' | 'tmpfs' | 'environment'> {
  return {
    image: 'bundled-apps',
    user: APPS_USER,
    command: [command],
    tmpfs: [{ path: '/tmp', sizeMiB: 16 }],
    environment: { NODE_ENV: 'production' },
  };
}

/** A health check with the probe that the image carries; it exits 0 when `path` answers 200. */
export function probe(port: number, path: string): readonly string[] {
  return ['node', '/app/health.mjs', `http://127.0.0.1:${port}${path}`];
}

/** Give a bundled app its settings file. A changed setting replaces the app, and nothing but the app. */
export function addSettings(app: Workload, settings: object | ((context: FileContext) => object)): void {
  const json = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;
  app.setEnvironment(JOB_SETTINGS_VARIABLE, SETTINGS_FILE);
  app.addConfigFile({
    path: SETTINGS_FILE,
    content: typeof settings === 'function' ? (context) => json(settings(context)) : json(settings),
    onChange: 'replace',
  });
}
