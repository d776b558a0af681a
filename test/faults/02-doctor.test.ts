import { afterAll, beforeAll, expect, test } from 'vitest';
import { FINDING_KINDS } from '../../src/doctor/catalogue/index.js';
import { until } from '../deploy/support/poll.js';
import { partOf } from '../support/part.js';
import { DOCTOR_FAULTS, type DoctorFault } from './list/doctor.js';
import { type DoctorOutcome, doctor } from './support/doctor.js';
import { bringUp, dev } from './support/stacks.js';
import { RIGHT, tell } from './support/table.js';
import { answersAgain } from './support/well.js';

// Every way to break a deployed stack that the doctor has to tell, each for itself: it finds what it was, and nothing any more once it
// is mended. `RAGDOCK_PART=2/10` takes the second of ten parts of the list.

/** Longest wait for a fault to show, in seconds. */
const SHOWING_SECONDS = 180;

const rows: (readonly string[])[] = [];

beforeAll(() => bringUp(dev));

test('the doctor finds nothing on the healthy stack', findsNothing);

for (const fault of partOf(DOCTOR_FAULTS)) test(`the doctor tells ${fault.id}`, () => isTold(fault));

afterAll(() =>
  tell(['', 'fault', 'the doctor has to find', 'and found', 'of the service'], rows, 'faults for the doctor'),
);

async function isTold(fault: DoctorFault): Promise<void> {
  const { id, expects, service } = fault;
  const isIt = (it: DoctorOutcome['findings'][number]) => it.id === expects && it.service === service;
  let last: DoctorOutcome | undefined;
  const undo = await fault.breaks(dev);
  try {
    await until(
      `the doctor finds ${expects}`,
      async () => {
        last = await doctor(dev.project);
        return last.findings.some(isIt);
      },
      SHOWING_SECONDS,
    ).catch((error: Error) => {
      throw new Error(`${error.message}\n${last?.text}`);
    });
    if (FINDING_KINDS[expects].severity === 'broken') expect(last?.code).toBe(1);
  } finally {
    const hit = last?.findings.find(isIt);
    const found = hit ?? last?.findings.at(0);
    const row = [hit ? RIGHT : 'WRONG', id, expects, found?.id ?? 'nothing', found?.service ?? ''];
    rows.push(row);
    // Also where nobody waits for the table.
    process.stdout.write(`${row.join('  ')}\n`);
    await undo();
    await answersAgain(dev, async () => (await doctor(dev.project)).findings.length === 0);
  }
}

async function findsNothing(): Promise<void> {
  const { code, findings, text } = await doctor(dev.project);
  expect(findings, text).toEqual([]);
  expect(code).toBe(0);
}
