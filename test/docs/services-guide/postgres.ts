import { expect } from 'vitest';
import type { Check, Checks, Saiga } from './saiga.js';

const ID = 'postgres';

/** A line of postgresql.conf, without quotation marks. */
const setting =
  (name: string): Check =>
  (saiga, quoted) => {
    const line = saiga
      .file(ID, '/postgresql.conf')
      .split('\n')
      .find((it) => it.startsWith(`${name} = `))
      ?.replaceAll("'", '');
    expect(line).toBe(quoted[0]);
    return [saiga.said(`postgres.settings.${name}`)];
  };

const access = (saiga: Saiga): readonly (readonly string[])[] =>
  saiga
    .file(ID, '/pg_hba.conf')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(/\s+/));

export const POSTGRES: Checks = {
  'Порт: your_port': (saiga) => [saiga.published(ID, 5432)],
  'База: ml_db': (saiga) => [saiga.said('postgres.database')],
  'Пользователь: postgres': (saiga) => [saiga.variable(ID, 'POSTGRES_USER')],
  'Контейнер: ml_postgres': (saiga) => [saiga.container(ID).name],
  'container_name: ml_postgres': (saiga) => [saiga.said('postgres.container')],
  'image: postgres:15': (saiga) => [saiga.image(ID)],
  '"your_port:5432"': (saiga) => [saiga.published(ID, 5432)],
  'POSTGRES_USER: postgres': (saiga) => [saiga.variable(ID, 'POSTGRES_USER')],
  'POSTGRES_PASSWORD: your_password': (saiga) => {
    expect(saiga.hasVariable(ID, 'POSTGRES_PASSWORD')).toBe(false);
    // The start script hands the newest version to the server.
    return [saiga.container(ID).entrypoint.at(-1)];
  },
  'POSTGRES_DB: ml_db': (saiga) => [saiga.variable(ID, 'POSTGRES_DB')],
  'PGDATA: /var/lib/postgresql/data/pgdata': (saiga) => [saiga.variable(ID, 'PGDATA')],
  './data:/var/lib/postgresql/data': (saiga) => [saiga.mount(ID, '/var/lib/postgresql/data')],
  './configs:/etc/postgresql/conf.d': (saiga) => {
    expect(saiga.targets(ID)).toContain('/etc/postgresql');
    return [saiga.container(ID).command.at(-1)];
  },
  './backups:/backups': (saiga) => [saiga.mount(ID, '/backups')],
  'max_connections = 100': setting('max_connections'),
  'shared_buffers = 256MB': setting('shared_buffers'),
  'work_mem = 16MB': setting('work_mem'),
  'maintenance_work_mem = 128MB': setting('maintenance_work_mem'),
  'wal_buffers = 16MB': setting('wal_buffers'),
  'min_wal_size = 1GB': setting('min_wal_size'),
  'max_wal_size = 4GB': setting('max_wal_size'),
  'local all all trust': (saiga) => [
    access(saiga)
      .filter(([type]) => type === 'local')
      .map((line) => line.join(' '))
      .join(),
  ],
  'host all all 127.0.0.1/32 md5': (saiga) => [
    access(saiga)
      .filter(([, , , address]) => address === '127.0.0.1/32')
      .map((line) => line.join(' '))
      .join(),
  ],
  'host all all 0.0.0.0/0 md5': (saiga) => {
    const hosts = access(saiga).filter(([type, , , address]) => type === 'host' && address !== '127.0.0.1/32');
    for (const [, database, user, address, method] of hosts) {
      expect(address).toMatch(/^10\.229\.\d+\.\d+\/29$/);
      expect(method).toBe('scram-sha-256');
      expect(database).toBe(user === 'postgres' ? 'all' : 'ml_db');
    }
    return [...new Set(hosts.map(([, , user]) => user ?? ''))].sort().concat('scram-sha-256');
  },
  'DATABASE_URL = "postgresql://postgres:your_password@ml_postgres:5432/ml_db"': (saiga) => [
    saiga.variable('rag-api', 'POSTGRES_URL'),
    saiga.variable('rag-api', 'POSTGRES_PASSWORD_FILE'),
  ],
  'DATABASE_URL = "postgresql://postgres:your_password@95.64.227.126:your_port/ml_db"': (saiga) => {
    const role = saiga.json('postgres-roles').roles.find(({ name }: { name: string }) => name === 'analyst');
    expect(role?.grants).toBe('read');
    expect(access(saiga).map(([, , user]) => user)).toContain('analyst');
    return [`postgresql://${role.name}@${saiga.published(ID, 5432)}/ml_db`];
  },
};
