import { describe, expect, test } from 'vitest';
import { inspectEnvironments } from '../../config/load.js';
import { brief, problemsOf } from './problems.js';
import { MINIMAL, project } from './project.js';

/** Problems of `dev` and `prod`, which share nothing but what these settings of their secrets share. */
function problemsOfTwo(dev: string, prod: string) {
  const other = MINIMAL.replace('  api:', '  webBot: {publish: {port: 81}}\n  api:');
  const cwd = project({
    'dev.yaml': `${MINIMAL}secrets: ${dev}\n`,
    'prod.yaml': `${other}host: {networkPool: 10.232.0.0/20, docker: "tcp://elsewhere:2375"}\nsecrets: ${prod}\n`,
  });
  return inspectEnvironments(undefined, { cwd }).problems;
}

describe('an encrypted file', () => {
  test.each([
    ['named by both', '{store: sops, file: config/all.yaml}', '{store: sops, file: config/all.yaml}'],
    ['one’s by default', '{store: sops}', '{store: sops, file: config/secrets/dev.sops.yaml}'],
    ['the other one’s by default', '{store: sops, file: config/secrets/prod.sops.yaml}', '{store: sops}'],
  ])('of two environments, %s, is told, also on different hosts', (_name, dev, prod) => {
    const problems = problemsOfTwo(dev, prod);

    expect(problems.map(brief)).toEqual([expect.stringMatching(/^NAME_CLASH prod\.yaml:\d+:\d+ secrets\.store$/)]);
    expect(problems[0]?.message).toMatch(
      /^the encrypted file config\/\S+\.yaml belongs to the environment dev \(\S*dev\.yaml:\d+\)$/,
    );
    expect(problems[0]?.remedy).toContain('leave `secrets.file` out');
  });

  test.each([
    ['one each by default', '{store: sops}', '{store: sops}'],
    ['one each by name', '{store: sops, file: config/a.yaml}', '{store: sops, file: config/b.yaml}'],
    ['one that the other one does not use', '{store: sops, file: config/secrets/prod.sops.yaml}', '{store: files}'],
  ])('%s is nobody else’s', (_name, dev, prod) => {
    expect(problemsOfTwo(dev, prod)).toEqual([]);
  });

  // Each is another name of a file that has one, or of one that is outside.
  test.each(['./a.yaml', '../a.yaml', 'config/../a.yaml', 'config/./a.yaml', '/a.yaml', 'config//a.yaml'])(
    '%s is no path of one',
    (file) => {
      const problems = problemsOf(`${MINIMAL}secrets: {store: sops, file: ${file}}\n`);

      expect(problems.map(brief)).toEqual([expect.stringMatching(/^CONFIG_SCHEMA .* secrets\.file$/)]);
    },
  );

  test.each(['a.yaml', '.hidden/a.yml', 'config/..a/b.yaml'])('%s is', (file) => {
    expect(problemsOf(`${MINIMAL}secrets: {store: sops, file: ${file}}\n`)).toEqual([]);
  });
});
