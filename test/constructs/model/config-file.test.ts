import { RootConstruct } from 'constructs';
import { beforeEach, expect, test } from 'vitest';
import { type ConfigFile, folderOf, type Service } from '../../../constructs/model/index.js';
import { aService, failureOf } from '../../support/workloads.js';

let service: Service;
const file = (path: string, onChange: ConfigFile['onChange'] = 'replace'): ConfigFile => ({
  path,
  content: 'content',
  onChange,
});

beforeEach(() => {
  service = aService(new RootConstruct('test'), 'service');
});

test('one path has one content', () => {
  service.addConfigFile(file('/etc/app/app.conf'));

  expect(failureOf(() => service.addConfigFile({ ...file('/etc/app/app.conf'), content: 'another' }))).toMatchObject({
    code: 'MODEL_INVALID',
    path: 'test.service',
    message: 'the file /etc/app/app.conf is given twice',
  });
  expect(service.configFiles).toEqual([file('/etc/app/app.conf')]);
});

test('one folder has one answer to a change, because it is one volume', () => {
  service.addConfigFile(file('/etc/app/app.conf', 'replace'));

  expect(failureOf(() => service.addConfigFile(file('/etc/app/rules.yml', 'reload')))).toMatchObject({
    code: 'MODEL_INVALID',
    message:
      "/etc/app/app.conf says onChange 'replace' and /etc/app/rules.yml says 'reload', but one folder is one volume",
    remedy: 'put the two files into two folders, or let both say the same',
  });
});

test('two folders may answer differently', () => {
  service.addConfigFile(file('/etc/app/app.conf', 'replace'));
  service.addConfigFile(file('/etc/app/rules/rules.yml', 'reload'));

  expect(service.configFiles).toHaveLength(2);
});

test.each([
  ['/etc/app/app.conf', '/etc/app'],
  ['/app.conf', '/'],
])('the folder of %s is %s', (path, folder) => {
  expect(folderOf(path)).toBe(folder);
});
