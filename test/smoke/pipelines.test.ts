import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { describeStack } from '../../src/operator/stack.js';
import { SmokeReport } from '../../src/smoke/report.js';
import { ragdock } from '../cli/terminal.js';
import { MINIMAL, project, put } from '../config/project.js';
import { fences, readPage } from '../docs/support/markdown.js';
import { engineWith } from '../operator/support/deployed-engine.js';
import { ROOT } from '../support/environments.js';
import { finding } from './support/session.js';

// The scripts of docs/smoke.md, word for word, with the command line of this project and an engine of the test behind it.

const PAGE = readPage('docs/smoke.md');
const [GITHUB = '', GITLAB = ''] = fences(PAGE, 'yml');
const [SHELL = ''] = fences(PAGE, 'bash');
const LONG_MS = 180_000;

/** One run of a pipeline. */
interface Ran {
  readonly green: boolean;
  /** What was asked of npm and npx, in order. */
  readonly commands: readonly string[];
  readonly cwd: string;
  readonly output: string;
}

/** A place in which the scripts run: a project that is deployed, and npm and npx before those of the machine. */
class Place {
  readonly cwd: string;
  readonly summary: string;
  readonly #log: string;
  output = '';

  private constructor(cwd: string) {
    this.cwd = cwd;
    this.summary = join(cwd, 'summary.md');
    this.#log = join(cwd, 'commands.log');
    writeFileSync(this.#log, '');
    writeFileSync(this.summary, 'of an earlier step\n');
    mkdirSync(join(cwd, 'bin'));
    const node = [process.execPath, '--import', import.meta.resolve('tsx'), join(ROOT, 'src/cli/main.ts')];
    const command = node.map((word) => `'${word}'`).join(' ');
    this.#program('npm', 'exit 0');
    // Deploying and fetching from a vault are not what is shown here.
    this.#program('npx', `case "$1 $2" in "ragdock smoke" | "ragdock doctor") shift; exec ${command} "$@" ;; esac`);
  }

  static async where(...broken: readonly string[]): Promise<Place> {
    const cwd = project({ 'dev.yaml': MINIMAL });
    await ragdock(['lock', 'dev'], { cwd });
    const engine = await engineWith(describeStack('dev', cwd), finding(...broken));
    put(cwd, 'config/environments/dev.yaml', `${MINIMAL}host:\n  docker: ${engine.address}\n`);
    return new Place(cwd);
  }

  /** Runs a script as CI systems do, and gives its exit code. */
  async run(script: string, options: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<number> {
    const child = spawn('bash', ['--noprofile', '--norc', ...options, '-c', script], {
      cwd: this.cwd,
      env: {
        ...process.env,
        ...env,
        GITHUB_STEP_SUMMARY: env.GITHUB_STEP_SUMMARY ?? '',
        PATH: `${join(this.cwd, 'bin')}${delimiter}${process.env.PATH}`,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
    this.output += stdout + stderr;
    return code as number;
  }

  ran(green: boolean): Ran {
    const commands = readFileSync(this.#log, 'utf8').split('\n').filter(Boolean);
    return { green, commands, cwd: this.cwd, output: this.output };
  }

  #program(name: string, work: string): void {
    const file = join(this.cwd, 'bin', name);
    writeFileSync(file, `#!/bin/sh\necho "${name} $1 $2 $3" >> '${this.#log}'\n${work}\n`);
    chmodSync(file, 0o755);
  }
}

interface Step {
  readonly name?: string;
  readonly run?: string;
  readonly if?: string;
  readonly uses?: string;
  readonly with?: { readonly path?: string };
}

/** Runs the steps as GitHub's runner does: after a failure only those whose `if` wants them. */
async function github(place: Place): Promise<Ran> {
  const { jobs } = parse(GITHUB) as { jobs: Record<string, { steps: readonly Step[] }> };
  let failed = false;
  for (const { run, if: when = 'success()' } of Object.values(jobs).flatMap(({ steps }) => steps)) {
    const wanted = { 'success()': !failed, 'failure()': failed, 'always()': true }[when];
    if (wanted === undefined) throw new Error(`the test does not know if: ${when}`);
    if (run === undefined || !wanted) continue;
    if ((await place.run(run, ['-e'], { GITHUB_STEP_SUMMARY: place.summary })) !== 0) failed = true;
  }
  return place.ran(!failed);
}

async function gitlab(place: Place): Promise<Ran> {
  const [job] = Object.values(parse(GITLAB) as Record<string, { script: string[]; after_script: string[] }>);
  const script = (job?.script ?? []).join('\n');
  const code = await place.run(script, ['-eo', 'pipefail']);
  await place.run((job?.after_script ?? []).join('\n'), ['-eo', 'pipefail'], {
    CI_JOB_STATUS: code === 0 ? 'success' : 'failed',
  });
  return place.ran(code === 0);
}

const shell = async (place: Place): Promise<Ran> => place.ran((await place.run(SHELL, [])) === 0);

const BEFORE = ['npm ci  ', 'npx ragdock secrets fetch', 'npx cdktf deploy dev', 'npx ragdock smoke dev'];

describe.each([
  ['GitHub Actions', github, 'summary.md', ['npx ragdock doctor dev', 'npx ragdock secrets forget']],
  ['GitLab CI', gitlab, 'smoke.md', ['npx ragdock doctor dev', 'npx ragdock secrets forget']],
  ['a shell', shell, 'smoke.md', ['npx ragdock doctor dev', 'npx ragdock secrets forget']],
] as const)('the pipeline for %s', (_, run, markdown, after) => {
  const artefacts = ({ cwd }: Ran) => ({
    json: SmokeReport.parse(JSON.parse(readFileSync(join(cwd, 'smoke.json'), 'utf8'))),
    junit: readFileSync(join(cwd, 'smoke.xml'), 'utf8'),
    markdown: readFileSync(join(cwd, markdown), 'utf8'),
  });

  test(
    'is green where the stack answers, and keeps its reports',
    async () => {
      const ran = await run(await Place.where());

      expect(ran.green, ran.output).toBe(true);
      expect(ran.commands).toEqual([...BEFORE, 'npx ragdock secrets forget']);
      const { json, junit, markdown: page } = artefacts(ran);
      expect(json.ok).toBe(true);
      expect(junit).toContain('failures="0"');
      expect(page).toContain('## ragdock smoke dev: answers');
    },
    LONG_MS,
  );

  test(
    'is red where it does not, keeps its reports, and asks the doctor',
    async () => {
      const ran = await run(await Place.where('llm-main'));

      expect(ran.green, ran.output).toBe(false);
      expect(ran.commands).toEqual([...BEFORE, ...after]);
      const { json, junit, markdown: page } = artefacts(ran);
      expect(json.checks[0]).toMatchObject({ service: 'llm-main', ok: false });
      expect(junit).toContain('<failure message="503 &lt;loading&gt;">');
      expect(page).toContain('### llm-main: ready');
      if (markdown === 'summary.md') expect(page).toMatch(/^of an earlier step\n## ragdock smoke/);
    },
    LONG_MS,
  );
});

test('what is kept is what is written', () => {
  const { jobs } = parse(GITHUB) as { jobs: Record<string, { steps: readonly Step[] }> };
  const kept = Object.values(jobs).flatMap(({ steps }) => steps.flatMap((step) => step.with?.path?.split('\n') ?? []));
  expect(kept.filter(Boolean)).toEqual(['smoke.json', 'smoke.xml']);
  const [job] = Object.values(
    parse(GITLAB) as Record<string, { artifacts: { when: string; paths: string[]; reports: { junit: string } } }>,
  );
  expect(job?.artifacts).toEqual({
    when: 'always',
    paths: ['smoke.json', 'smoke.md'],
    reports: { junit: 'smoke.xml' },
  });
  expect(existsSync(join(ROOT, 'docs/smoke.schema.json'))).toBe(true);
});
