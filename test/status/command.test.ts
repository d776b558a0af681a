import { expect, test } from 'vitest';
import { loadEnvironment } from '../../config/load.js';
import { StatusReport } from '../../src/status/report.js';
import { formatDuration } from '../../src/status/text.js';
import { ragdock } from '../cli/terminal.js';
import { MINIMAL, project, put } from '../config/project.js';
import type { ScriptedEngine } from '../operator/support/scripted-engine.js';
import { changes, statusEngine } from './support.js';

async function deployedProject(): Promise<{ cwd: string; engine: ScriptedEngine }> {
  const cwd = project({ 'dev.yaml': MINIMAL });
  await ragdock(['lock', 'dev'], { cwd });
  const engine = await statusEngine(loadEnvironment('dev', { cwd }));
  put(cwd, 'config/environments/dev.yaml', `${MINIMAL}host:\n  docker: ${engine.address}\n`);
  return { cwd, engine };
}

test('a table for people: aligned, with what is wrong below its line', async () => {
  const { cwd, engine } = await deployedProject();
  changes(engine, 'dev-qdrant', {
    State: { Health: { Status: 'unhealthy', Log: [{ Output: 'refused\u001b[2J' }] } },
    HostConfig: { Memory: 0 },
  });
  const { exit, stdout, stderr } = await ragdock(['status', 'dev'], { cwd });
  const lines = stdout.split('\n');

  expect(exit).toBe(1);
  expect(lines[0]).toBe(`dev on ${engine.address}: 6 of 7 services are well`);
  const head = lines.find((line) => line.startsWith('SERVICE')) ?? '';
  const qdrant = lines.findIndex((line) => line.startsWith('qdrant '));
  expect(lines[qdrant]?.slice(head.indexOf('STATE'))).toMatch(/^unhealthy {2}2 h +0 +20 of no limit +qdrant\/qdrant:v/);
  expect(lines[qdrant]?.indexOf('qdrant/')).toBe(head.indexOf('IMAGE'));
  expect(lines[qdrant + 1]?.trim()).toBe('unhealthy: refused[2J');
  expect(lines[qdrant + 2]?.trim()).toMatch(/^differs from its files: memory \(no limit → \d+ MiB\)$/);
  expect(stdout).toMatch(/^URLs +http:\/\/127\.0\.0\.1:8080 {2}web-bot$/m);
  expect(stdout).toMatch(/^qdrant-collections +done +119 min ago +3 s +/m);
  expect(stdout).toContain('npx cdktf diff dev');
  expect(stdout).not.toContain('\u001b');
  expect(stderr).toMatch(/^STATUS_UNHEALTHY {2}dev\n {4}qdrant is unhealthy \(unhealthy: refused\S*\)\n/);
});

test('colours where they are wanted', async () => {
  const { cwd } = await deployedProject();
  const { exit, stdout } = await ragdock(['status', 'dev'], { cwd, colour: true });

  expect(exit).toBe(0);
  expect(stdout).toContain('\u001b[32mhealthy\u001b[39m');
});

test('as data, which fits its schema; the exit code is the same', async () => {
  const { cwd, engine } = await deployedProject();
  engine.states.delete('dev-qdrant');
  const { exit, stdout } = await ragdock(['status', 'dev', '--json'], { cwd });

  expect(exit).toBe(1);
  expect(StatusReport.parse(JSON.parse(stdout))).toMatchObject({ ok: false, engine: engine.address });
});

test('nothing deployed, and no engine, are exit code 3', async () => {
  const { cwd, engine } = await deployedProject();
  engine.states.clear();
  expect(await ragdock(['status', 'dev'], { cwd })).toMatchObject({
    exit: 3,
    stdout: '',
    stderr: expect.stringMatching(/^STACK_NOT_DEPLOYED/),
  });
  put(cwd, 'config/environments/dev.yaml', `${MINIMAL}host:\n  docker: unix://${cwd}/none.sock\n`);
  expect(await ragdock(['status', 'dev', '--json'], { cwd })).toMatchObject({
    exit: 3,
    stdout: '',
    stderr: expect.stringMatching(/^ENGINE_UNREACHABLE/),
  });
});

test.each([
  [-5, '0 s'],
  [119_000, '119 s'],
  [120_000, '2 min'],
  [7_199_000, '119 min'],
  [7_200_000, '2 h'],
  [172_800_000, '2 d'],
])('%d ms are %s', (milliseconds, text) => {
  expect(formatDuration(milliseconds)).toBe(text);
});
