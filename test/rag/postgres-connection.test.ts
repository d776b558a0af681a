import { expect, test } from 'vitest';
import { postgresAddress } from '../../src/rag/history/connection.js';

test('an address without a mode is not encrypted, as between two containers', () => {
  expect(postgresAddress('postgresql://rag_api@dev-postgres:5432/ml_db')).toEqual({
    host: 'dev-postgres',
    port: 5432,
    user: 'rag_api',
    database: 'ml_db',
    ssl: false,
  });
});

test('verify-full checks the certificate for the host, also for one that is an IP address', () => {
  for (const host of ['db.example', '10.0.0.5']) {
    const { ssl } = postgresAddress(`postgresql://rag%20api@${host}/ml_db?sslmode=verify-full`);
    expect(ssl).toEqual({ rejectUnauthorized: true, host });
  }
});

test.each(['require', 'prefer', 'no-verify', 'verify-ca', ''])(
  'sslmode=%s, which checks less than it seems to, is refused',
  (mode) => {
    expect(() => postgresAddress(`postgresql://rag_api@db.example/ml_db?sslmode=${mode}`)).toThrow(TypeError);
  },
);
