import { describe, expect, test } from 'vitest';
import { inspectEnvironments, loadEnvironment } from '../../config/load.js';
import { backendOf, localStateWarnings, stateFileOf } from '../../config/state.js';
import { secretsInState } from '../../config/state-secrets.js';
import { brief, marked, problemsOf } from './problems.js';
import { MINIMAL, project, put } from './project.js';

const PROJECT = '../../..';
const state = (backend: string, config: Record<string, unknown> = {}) => ({ backend, config });

describe('the backend as Terraform is to see it', () => {
  test('a stack that says nothing has a file of the project', () => {
    expect(backendOf(undefined, 'dev', PROJECT)).toEqual(state('local', { path: '../../../state/dev.tfstate' }));
    expect(backendOf(state('local'), 'dev', PROJECT)).toEqual(state('local', { path: '../../../state/dev.tfstate' }));
  });

  test.each([
    'artifactory',
    'azurerm',
    'consul',
    'cos',
    'gcs',
    'http',
    'kubernetes',
    'oci',
    'oss',
    'pg',
    'remote',
    's3',
    'one_of_tomorrow',
  ])('%s has its settings as they are, nested ones too', (backend) => {
    const config = { bucket: 'b', endpoints: { s3: 'https://s3.example' }, workspaces: [{ name: 'w' }], lock: true };

    expect(backendOf(state(backend, config), 'dev', PROJECT)).toEqual(state(backend, config));
  });

  test.each([
    ['local', { path: 'elsewhere/dev.tfstate' }, { path: '../../../elsewhere/dev.tfstate' }],
    ['local', { path: '/var/state/dev.tfstate' }, { path: '/var/state/dev.tfstate' }],
    ['kubernetes', { config_path: '~/.kube/config' }, { config_path: '~/.kube/config' }],
    ['kubernetes', { config_paths: ['kube/a', '/b'] }, { config_paths: ['../../../kube/a', '/b'] }],
    ['consul', { path: 'ragdock/dev', ca_file: 'ca.pem' }, { path: 'ragdock/dev', ca_file: '../../../ca.pem' }],
    [
      's3',
      { key: 'dev.tfstate', custom_ca_bundle: 'ca.pem' },
      { key: 'dev.tfstate', custom_ca_bundle: '../../../ca.pem' },
    ],
  ])('%s: paths of files are those of the project', (backend, config, expected) => {
    expect(backendOf(state(backend, config), 'dev', PROJECT).config).toEqual(expected);
  });

  test('the state file is where it was asked for, or there is none', () => {
    expect(stateFileOf(undefined, 'dev', '/project')).toBe('/project/state/dev.tfstate');
    expect(stateFileOf(state('local', { path: 'a/b' }), 'dev', '/project')).toBe('/project/a/b');
    expect(stateFileOf(state('pg'), 'dev', '/project')).toBeUndefined();
  });
});

const PEM = '-----BEGIN RSA PRIVATE KEY-----\nMIIB';

describe('credentials', () => {
  test.each([
    ['pg', { conn_str: 'postgres://u:p4ss/word@db.example/t' }, 'conn_str', 'PG_CONN_STR'],
    ['pg', { conn_str: 'postgres://db.example/t?user=u&password=x' }, 'conn_str', 'PG_CONN_STR'],
    ['pg', { conn_str: 'host=db.example password = x' }, 'conn_str', 'PG_CONN_STR'],
    ['s3', { access_key: 'AKIA' }, 'access_key', 'AWS_ACCESS_KEY_ID'],
    ['s3', { secret_key: 'x' }, 'secret_key', 'AWS_SECRET_ACCESS_KEY'],
    ['s3', { token: 'x' }, 'token', 'AWS_SESSION_TOKEN'],
    ['http', { password: 'x' }, 'password', 'TF_HTTP_PASSWORD'],
    ['http', { address: 'https://u:x@state.example' }, 'address', 'TF_HTTP_ADDRESS'],
    ['http', { lock_address: 'https://state.example?private_token=x' }, 'lock_address', 'TF_HTTP_LOCK_ADDRESS'],
    ['azurerm', { sas_token: 'x' }, 'sas_token', 'ARM_SAS_TOKEN'],
    ['azurerm', { client_secret: 'x' }, 'client_secret', 'ARM_CLIENT_SECRET'],
    ['gcs', { credentials: '{"private_key": "x"}' }, 'credentials', 'GOOGLE_CREDENTIALS'],
    ['gcs', { encryption_key: 'x' }, 'encryption_key', 'GOOGLE_ENCRYPTION_KEY'],
    ['consul', { http_auth: 'u:x' }, 'http_auth', 'CONSUL_HTTP_AUTH'],
    ['kubernetes', { token: 'x' }, 'token', 'KUBE_TOKEN'],
    ['cos', { secret_id: 'x' }, 'secret_id', 'TENCENTCLOUD_SECRET_ID'],
    ['remote', { token: 'x' }, 'token', 'TF_TOKEN_'],
    ['one_of_tomorrow', { api_token: 'x' }, 'api_token', 'TF_CLI_ARGS_init'],
    ['one_of_tomorrow', { tls: { pem: PEM } }, 'tls.pem', 'TF_CLI_ARGS_init'],
    ['kubernetes', { exec: { env: { VAULT_TOKEN: 'x' } } }, 'exec.env.VAULT_TOKEN', 'TF_CLI_ARGS_init'],
    ['http', { headers: { Authorization: 'Bearer x' } }, 'headers.Authorization', 'TF_CLI_ARGS_init'],
    ['kubernetes', { exec: { args: ['--token=x'] } }, 'exec.args.0', 'TF_CLI_ARGS_init'],
  ])('%s %j is refused, and the variable is named', (backend, config, path, variable) => {
    const found = secretsInState(state(backend, config));

    expect(found.map((secret) => secret.path.join('.'))).toEqual([path]);
    expect(found[0]?.remedy).toContain(variable);
    const [value = ''] = JSON.stringify(config).match(/p4ss|AKIA|MIIB/) ?? [];
    if (value) expect(JSON.stringify(found)).not.toContain(value);
  });

  test.each([
    ['pg', { conn_str: 'postgres://db.example/t?sslmode=verify-full&sslkey=/k.pem', schema_name: 'dev' }],
    ['s3', { bucket: 'b', key: 'dev.tfstate', region: 'eu-1', kms_key_id: 'arn:aws:kms:x', use_lockfile: true }],
    ['gcs', { bucket: 'b', prefix: 'dev', credentials: 'account.json', kms_encryption_key: 'projects/p/k' }],
    ['http', { address: 'https://state.example/dev', username: 'ci', lock_method: 'POST' }],
    ['azurerm', { key: 'dev.tfstate', use_oidc: true, client_secret_file_path: '/run/secrets/arm' }],
    ['consul', { address: 'consul.example:8500', scheme: 'https', path: 'ragdock/dev', key_file: 'k.pem' }],
    ['s3', { bucket: 'b', key: 'k', token: '' }],
  ])('%s %j is fine', (backend, config) => {
    expect(secretsInState(state(backend, config))).toEqual([]);
  });
});

describe('in an environment file', () => {
  test('the default is left to the name of the environment', () => {
    const { settings } = loadEnvironment('dev', { cwd: project({ 'dev.yaml': MINIMAL }) });

    expect(settings.state).toBeUndefined();
    expect(settings.secrets).toEqual({ store: 'files', shared: true, timeoutSeconds: 30 });
  });

  test.each([
    [
      'a password',
      'state: {backend: pg, config: {conn_str: ▶"postgres://u:pass@db/t"}}',
      'CONFIG_RULE',
      'state.config.conn_str',
    ],
    ['a backend that is none', 'state: {backend: ▶cloud}', 'CONFIG_RULE', 'state.backend'],
    ['a backend that is no name', 'state: {backend: ▶"S3 "}', 'CONFIG_SCHEMA', 'state.backend'],
    ['a setting beside config', 'state: {backend: pg, ▶schema_name: dev}', 'CONFIG_UNKNOWN_KEY', 'state.schema_name'],
    ['secrets of each machine', 'state: {backend: pg}\nsecrets: {shared: ▶false}', 'CONFIG_RULE', 'secrets.shared'],
    ['a store without its command', 'secrets: {store: ▶command}', 'CONFIG_RULE', 'secrets.store'],
    ['a command that nobody runs', 'secrets: {command: ▶[cat, "{name}"]}', 'CONFIG_RULE', 'secrets.command'],
    [
      'an encrypted file that nobody reads',
      'secrets: {file: ▶config/secrets/a.sops.yaml}',
      'CONFIG_RULE',
      'secrets.file',
    ],
    [
      'a path that leaves the project',
      'secrets: {store: sops, file: ▶../a.sops.yaml}',
      'CONFIG_SCHEMA',
      'secrets.file',
    ],
    [
      'a path among the environments',
      'secrets: {store: sops, file: ▶config/environments/a.yaml}',
      'CONFIG_RULE',
      'secrets.file',
    ],
    ['an absolute path', 'secrets: {store: sops, file: ▶/etc/a.yaml}', 'CONFIG_SCHEMA', 'secrets.file'],
    ['a format without comments', 'secrets: {store: sops, file: ▶a.sops.json}', 'CONFIG_SCHEMA', 'secrets.file'],
    ['an encrypted file for one machine', 'secrets: {store: sops, shared: ▶false}', 'CONFIG_RULE', 'secrets.shared'],
    [
      'a command beside an encrypted file',
      'secrets: {store: sops, command: ▶[cat, "{name}"]}',
      'CONFIG_RULE',
      'secrets.command',
    ],
    ['one value for all', 'secrets: {store: command, command: ▶[cat, key]}', 'CONFIG_RULE', 'secrets.command'],
    [
      'a placeholder that is none',
      'secrets: {store: command, command: [cat, ▶"{environment}/{name}"]}',
      'CONFIG_RULE',
      'secrets.command.1',
    ],
    ['no program', 'secrets: {store: command, command: [▶" ", "{name}"]}', 'CONFIG_RULE', 'secrets.command.0'],
    ['an empty command', 'secrets: {store: command, command: ▶[]}', 'CONFIG_SCHEMA', 'secrets.command'],
    [
      'a password in a command',
      'secrets: {store: command, command: [curl, ▶"https://u:pass@vault.example/{name}"]}',
      'CONFIG_RULE',
      'secrets.command.1',
    ],
  ])('%s is refused at its place', (_name, yaml, code, path) => {
    const { content, at } = marked(`${MINIMAL}${yaml}\n`);
    const problems = problemsOf(content);

    expect(problems.map(brief)).toEqual([`${code} ${at} ${path}`]);
    expect(JSON.stringify(problems)).not.toContain('pass@');
  });

  test('two environments that keep their state in one place are told', () => {
    const base = 'schema: 1\ntemplate: true\nstate: {backend: s3, config: {bucket: b, key: k}}\n';
    const one = `extends: base.yaml\n${MINIMAL}`;
    const other = `${one}host: {networkPool: 10.232.0.0/20}\n`.replace(
      '  api:',
      '  webBot: {publish: {port: 81}}\n  api:',
    );
    const cwd = project({ 'base.yaml': base, 'dev.yaml': one, 'prod.yaml': other });

    const { problems } = inspectEnvironments(undefined, { cwd });

    expect(problems.map(brief)).toEqual(['NAME_CLASH base.yaml:3:8 state']);
    expect(problems[0]?.message).toMatch(/belongs to the environment dev/);
    put(cwd, 'config/environments/prod.yaml', `${other}state: {config: {key: prod}}\n`);
    expect(inspectEnvironments(undefined, { cwd }).problems).toEqual([]);
  });
});

describe('a state that is a file', () => {
  const environments = [
    { name: 'dev', settings: {} },
    { name: 'prod', settings: { state: state('pg') } },
  ];

  test('is warned of in a pipeline', () => {
    expect(localStateWarnings(environments, 'true')).toEqual([expect.stringMatching(/^warning {2}dev: .*state:.*\n$/)]);
  });

  test.each([undefined, '', 'false'])('is nobody’s business where CI is %j', (ci) => {
    expect(localStateWarnings(environments, ci)).toEqual([]);
  });
});
