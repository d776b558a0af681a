import type { Deployment } from '../../deploy/support/deployment.js';
import { run } from '../../deploy/support/project.js';

/** Whether a version of a secret opens what it is for, now. No value leaves the files of the stack, or the test. */
export type Opens = (version: number) => Promise<boolean>;

/** Where a stranger stands who has the secret's files: beside a client, in its network and with its volume. */
export interface Beside {
  /** Client and server, as in the id of their network: `rag-api--qdrant`. */
  readonly network: string;
  /** Who holds the files, by its id. */
  readonly holder: string;
  /** User that may read them. @default 1000 */
  readonly uid?: number;
}

/** Print what `script` prints, a piece of sh, in a container of `image` that stands there and is gone afterwards. */
async function stand(
  { engine, name }: Deployment,
  { network, holder, uid = 1000 }: Beside,
  image: string,
  script: string,
  args: readonly string[],
): Promise<{ readonly code: number | null; readonly output: string }> {
  const { code, stdout, stderr } = await run('docker', [
    ...['run', '--rm', '--network', `${name}-${network}`, '--user', String(uid)],
    ...['--volume', `${engine.nameOf(holder)}-secrets:/run/secrets:ro`],
    ...['--entrypoint', '/bin/sh', image, '-c', script, 'sh', ...args],
  ]);
  return { code, output: `${stdout}${stderr}` };
}

async function imageOf({ engine }: Deployment, service: string): Promise<string> {
  return (await engine.containerOf(service).inspect()).Image;
}

/** A login at PostgreSQL: `rag_api_*` is the login of the version. */
export function opensPostgres(deployment: Deployment, secret: string, user: string, beside: Beside): Opens {
  const { engine, description } = deployment;
  return async (version) => {
    const login = user.replace('*', version % 2 === 1 ? '1' : '2');
    const { code, output } = await stand(
      deployment,
      beside,
      await imageOf(deployment, 'postgres'),
      'PGPASSWORD="$(cat "/run/secrets/$1")" exec psql -w -h "$2" -U "$3" -d "$4" -tAc "SELECT 1"',
      [`${secret}.v${version}`, engine.nameOf('postgres'), login, description.database ?? 'ml_db'],
    );
    if (code === 0) return true;
    // Wrong password, no such role, or one that may not log in; anything else tells nothing.
    if (/password authentication failed|is not permitted to log in|no pg_hba.conf entry/.test(output)) return false;
    throw new Error(output);
  };
}

/** A request with the secret as a header; 401 and 403 mean that it opens nothing. */
export function opensHttp(
  deployment: Deployment,
  secret: string,
  beside: Beside,
  ask: {
    readonly service: string;
    readonly port: number;
    readonly path: string;
    readonly header: 'api-key' | 'bearer' | 'basic-admin';
    readonly method?: 'GET' | 'POST';
  },
): Opens {
  const { engine } = deployment;
  const url = `http://${engine.nameOf(ask.service)}:${ask.port}${ask.path}`;
  const program = `
    const value = fs.readFileSync('/run/secrets/' + process.argv[1], 'utf8').trim();
    const headers = {
      'api-key': { 'api-key': value },
      bearer: { authorization: 'Bearer ' + value },
      'basic-admin': { authorization: 'Basic ' + Buffer.from('admin:' + value).toString('base64') },
    }[process.argv[3]];
    fetch(process.argv[2], { headers, method: process.argv[4] }).then(({ status }) => console.log('status', status));`;
  return async (version) => {
    const { output } = await stand(deployment, beside, await imageOf(deployment, 'rag-api'), 'exec node -e "$@"', [
      program,
      `${secret}.v${version}`,
      url,
      ask.header,
      ask.method ?? 'GET',
    ]);
    const status = Number(/status (\d+)/.exec(output)?.[1]);
    if (status === 401 || status === 403) return false;
    if (status > 0 && status < 500) return true;
    throw new Error(output);
  };
}
