import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../deploy/support/poll.js';
import { partOf } from '../support/part.js';
import { FAULTS } from './list/index.js';
import { type DoctorOutcome, doctor } from './support/doctor.js';
import type { Fault } from './support/fault.js';
import { type SmokeOutcome, smoke } from './support/smoke.js';
import { bringUp, dev, prod } from './support/stacks.js';
import { RIGHT, tell } from './support/table.js';
import { answersAgain } from './support/well.js';

// The smoke tests are wrong neither way: no failure on a healthy stack, run after run, and for every fault a failure that
// names the service. The doctor is asked about what has a name of its own with it. `RAGDOCK_PART=2/8` takes the second of
// eight parts of the list, with a few healthy runs.

const HEALTHY_RUNS = process.env.RAGDOCK_PART ? 5 : 50;

/** Longest waits: for a fault to take effect, and for a verdict. In seconds. */
const BREAKING_SECONDS = 120;
const SMOKE_SECONDS = 180;

const faults = partOf(FAULTS);
const rows: (readonly string[])[] = [];
const diagnoses: (readonly string[])[] = [];

for (const deployment of [dev, prod]) {
  const own = faults.filter((fault) => fault.deployment === deployment);
  if (own.length === 0) continue;
  const { name, project } = deployment;
  describe(`smoke of ${name}`, () => {
    beforeAll(() => bringUp(deployment));

    test(`passes ${HEALTHY_RUNS} times in a row on the healthy stack`, {
      timeout: HEALTHY_RUNS * 300_000,
    }, async () => {
      const seconds: number[] = [];
      for (let run = 1; run <= HEALTHY_RUNS; run += 1) {
        const { code, report, text } = await smoke(project, 300);
        const failed = report.checks.filter(({ ok }) => !ok);
        expect(failed, `run ${run} of ${HEALTHY_RUNS}\n${text}`).toEqual([]);
        expect(code).toBe(0);
        seconds.push(report.seconds);
      }
      const [longest, shortest] = [Math.max(...seconds), Math.min(...seconds)].map((it) => it.toFixed(1));
      process.stdout.write(`${name}: ${HEALTHY_RUNS} runs without a failure, each in ${shortest} to ${longest} s\n`);
    });

    test('the doctor finds nothing on the healthy stack', async () => {
      const { code, findings, text } = await doctor(project);
      expect(findings, text).toEqual([]);
      expect(code).toBe(0);
    });

    for (const fault of own) test(`fails when ${fault.name}`, () => isFound(fault));
  });
}

afterAll(() => {
  tell(['', 'fault', 'service', 'smoke named', 'check', 'seconds'], rows, 'faults for the smoke tests');
  tell(['', 'fault', 'service', 'the doctor should find', 'and found'], diagnoses, 'faults for the doctor');
});

async function isFound(fault: Fault): Promise<void> {
  const { deployment, expects } = fault;
  expect(await fault.isBroken(), 'it is there before it is made').toBe(false);
  const undo = await fault.breaks();
  let outcome: SmokeOutcome;
  let diagnosis: DoctorOutcome | undefined;
  try {
    await until('the fault takes effect', fault.isBroken, BREAKING_SECONDS);
    outcome = await smoke(deployment.project, fault.timeoutSeconds ?? SMOKE_SECONDS);
    if (expects.finding !== undefined) diagnosis = await doctor(deployment.project);
  } finally {
    await undo();
    await answersAgain(deployment, async () => !(await fault.isBroken()));
  }
  const told = diagnosis && noteDiagnosis(fault, diagnosis);
  isBlamed(fault, outcome);
  if (told) expect(told.first, told.text).toBe(expects.finding);
}

/** The report names the service, and nothing else. */
function isBlamed({ name, deployment, expects }: Fault, { code, roots, text, report }: SmokeOutcome): void {
  const services = [...new Set(roots.map(({ service }) => service))];
  const checks = roots.filter(({ service }) => service === expects.service).map(({ check }) => check);
  const right =
    code === 1 &&
    services.length === 1 &&
    services[0] === expects.service &&
    (expects.check === undefined || checks.includes(expects.check));
  const row = [
    right ? RIGHT : 'WRONG',
    `${deployment.name}: ${name}`,
    expects.service,
    services.join(', ') || (code === 0 ? 'nothing' : `exit ${code}`),
    checks.join(', '),
    report.seconds.toFixed(1),
  ];
  rows.push(row);
  // Also where nobody waits for the table.
  process.stdout.write(`${row.join('  ')}\n`);
  expect({ code, services, checks }, text).toEqual({
    code: 1,
    services: [expects.service],
    checks: expects.check === undefined ? checks : expect.arrayContaining([expects.check]),
  });
}

function noteDiagnosis({ name, deployment, expects }: Fault, { findings, text }: DoctorOutcome) {
  const { service, finding = '' } = expects;
  const first = findings.find((it) => it.service === service)?.id;
  const verdict = first === finding ? RIGHT : 'WRONG';
  diagnoses.push([verdict, `${deployment.name}: ${name}`, service, finding, first ?? 'nothing']);
  return { first, text };
}
