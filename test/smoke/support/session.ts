import { readLines } from '../../../src/apps/operator/lines.js';
import type { Program } from '../../operator/support/scripted-engine.js';

/** A session in which every service of the plan is well, but for the ones that are named. */
export const finding =
  (...broken: readonly string[]): Program =>
  async ({ stdin, stdout }) => {
    const lines = readLines(stdin);
    const plan = JSON.parse((await lines.next()).value ?? 'null') as { targets: { id: string }[] };
    for (const { id } of plan.targets) {
      const bad = broken.includes(id);
      const result = {
        service: id,
        check: 'ready',
        level: 'up',
        outcome: bad ? 'failed' : 'passed',
        seconds: 0.1,
        ...(bad ? { asked: 'GET /readyz', expected: '200', came: '503 <loading>' } : {}),
      };
      stdout(`${JSON.stringify({ event: 'check', result })}\n`);
    }
    stdout('{"event":"done"}\n');
    for await (const line of lines) {
      const { id, text } = JSON.parse(line) as { id: number; text: string };
      stdout(`${JSON.stringify({ event: 'masked', id, text })}\n`);
    }
    return 0;
  };
