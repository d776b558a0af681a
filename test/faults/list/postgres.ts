import { until } from '../../deploy/support/poll.js';
import type { Fault } from '../support/fault.js';
import { isFull, onFullVolume } from '../support/small-volume.js';
import { dev, prod } from '../support/stacks.js';

/** One statement that breaks it and one that mends it, for new sessions from then on. */
const bySql =
  (breaking: string, mending: string, reload = false) =>
  async () => {
    const run = async (statement: string) => {
      await dev.sql(statement);
      if (reload) await dev.sql('SELECT pg_reload_conf()');
    };
    await run(breaking);
    return () => run(mending);
  };

const isTrue = async (expression: string): Promise<boolean> => (await dev.sql(`SELECT ${expression}`)) === 't';

/** Clients that do nothing, as many as there are connections. Their shell ends with all of them. */
const HOGS = `
trap 'trap - TERM; kill 0' TERM
echo $$ > /tmp/hogs
export PGPASSWORD="$(cat "$(ls -v /run/secrets/postgres-superuser-password.v* | tail -n 1)")"
for i in $(seq 110); do sleep 900 | psql -w -q -h /var/run/postgresql -U postgres -d postgres >/dev/null 2>&1 & done
wait
`;

export const POSTGRES_FAULTS: readonly Fault[] = [
  {
    name: 'PostgreSQL only reads',
    deployment: dev,
    breaks: bySql(
      'ALTER SYSTEM SET default_transaction_read_only = on',
      'ALTER SYSTEM RESET default_transaction_read_only',
      true,
    ),
    isBroken: () => isTrue("current_setting('default_transaction_read_only') = 'on'"),
    expects: { service: 'postgres', check: 'writes and reads' },
  },
  {
    name: 'every connection of PostgreSQL is taken',
    deployment: dev,
    breaks: async () => {
      const exec = await dev.engine.containerOf('postgres').exec({ Cmd: ['sh', '-c', HOGS] });
      await exec.start({ Detach: true });
      await until('no connection is left', noneIsLeft, 60);
      return async () => {
        await dev.engine.execIn('postgres', ['sh', '-c', 'kill "$(cat /tmp/hogs)"; rm /tmp/hogs']);
      };
    },
    isBroken: noneIsLeft,
    expects: { service: 'postgres', check: 'ready' },
    timeoutSeconds: 60,
  },
  {
    name: 'the API may not write into its table',
    deployment: dev,
    breaks: bySql('REVOKE INSERT ON rag.exchanges FROM rag_api', 'GRANT INSERT ON rag.exchanges TO rag_api'),
    isBroken: () => isTrue("NOT has_table_privilege('rag_api', 'rag.exchanges', 'INSERT')"),
    expects: { service: 'postgres', check: 'writes and reads' },
  },
  {
    name: 'the table of exchanges is gone',
    deployment: dev,
    breaks: bySql(
      'ALTER TABLE rag.exchanges RENAME TO exchanges_elsewhere',
      'ALTER TABLE rag.exchanges_elsewhere RENAME TO exchanges',
    ),
    isBroken: () => isTrue("to_regclass('rag.exchanges') IS NULL"),
    expects: { service: 'postgres', check: 'writes and reads' },
  },
  {
    name: 'PostgreSQL’s volume of 200 MB is full',
    deployment: dev,
    breaks: () => onFullVolume(dev, 'postgres', '/var/lib/postgresql/data'),
    isBroken: () => isFull(dev, 'postgres', '/var/lib/postgresql/data'),
    expects: { service: 'postgres', finding: 'disk-full' },
  },
];

async function noneIsLeft(): Promise<boolean> {
  return dev.sql('SELECT 1').then(
    () => false,
    (error: Error) => /too many clients|remaining connection slots/.test(error.message),
  );
}

export const WHOLE_POSTGRES_FAULTS: readonly Fault[] = [
  {
    name: 'PostgreSQL has another setting than was asked for',
    deployment: prod,
    breaks: async () => {
      await prod.sql('ALTER DATABASE ml_db SET random_page_cost = 4');
      return async () => {
        await prod.sql('ALTER DATABASE ml_db RESET random_page_cost');
      };
    },
    isBroken: async () => (await prod.sql('SHOW random_page_cost')) === '4',
    expects: { service: 'postgres', check: 'settings' },
  },
];
