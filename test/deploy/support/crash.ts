import { readlinkSync } from 'node:fs';
import { constants } from 'node:os';
import { type ProcessView, processesOf } from './container-view.js';
import type { EngineView } from './engine.js';
import { until } from './poll.js';
import { catches } from './processes.js';

/** What a Node program says that {@link crash} has let die. */
export const LAST_WORDS = 'a crash of the test';

/** How a service died: by an exception, by a signal, or by a signal to one of its children. */
export type Crash = 'exception' | 'signal' | 'child';

/**
 * Let a service die in the way that tells most, and wait until it was started again: a Node program of an exception that
 * nobody catches, PostgreSQL by SIGSEGV of one of its processes, another one by SIGABRT, which programs report that
 * report anything. The engine has to be of this machine.
 */
export async function crash(engine: EngineView, service: string): Promise<Crash> {
  const { SIGABRT, SIGSEGV, SIGUSR1 } = constants.signals;
  const before = await engine.containerOf(service).inspect();
  const [first, ...others] = processesOf(before);
  // The engine's own process 1 passes signals on to the program, and is none of the service's.
  const [main, ...children] = first?.name === 'docker-init' ? others : [first, ...others];
  if (!main) throw new Error(`${service} has no process`);
  let way: Crash = 'signal';
  if (isNode(main) && catches(main.pid, SIGUSR1)) {
    way = 'exception';
    process.kill(main.pid, SIGUSR1);
    // The command ends with the container that it is in.
    await engine.execIn(service, ['node', '-e', THROW]).catch(() => undefined);
  } else if (service === 'postgres' && children[0]) {
    way = 'child';
    const [child] = children;
    process.kill(child.pid, SIGSEGV);
    await until(`process ${child.pid} of ${service} is gone`, async () => !runs(child.pid));
    return way;
  } else {
    process.kill(main.pid, SIGABRT);
  }
  await until(`${service} was started again`, async () => {
    const { State } = await engine.containerOf(service).inspect();
    return State.Running && State.StartedAt !== before.State.StartedAt;
  });
  return way;
}

const isNode = ({ pid }: ProcessView): boolean => readlinkSync(`/proc/${pid}/exe`).endsWith('/node');

function runs(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/**
 * Through the debugger that SIGUSR1 opens inside the container: an exception that nobody catches. The program waits at
 * its end until the debugger has gone, so this one goes as soon as the exception is on its way.
 */
const THROW = `
const evaluate = async () => {
  const [{ webSocketDebuggerUrl }] = await (await fetch('http://127.0.0.1:9229/json')).json();
  const socket = new WebSocket(webSocketDebuggerUrl);
  await new Promise((done, fail) => { socket.onopen = done; socket.onerror = fail; });
  const said = new Promise((done) => { socket.onmessage = done; socket.onclose = done; });
  socket.send(JSON.stringify({ id: 1, method: 'Runtime.evaluate', params: { expression: "setTimeout(() => { throw new Error('${LAST_WORDS}') }, 100); 0" } }));
  await said;
  socket.close();
};
const deadline = Date.now() + 20000;
(function again() { evaluate().catch((error) => { if (Date.now() > deadline) throw error; setTimeout(again, 100); }); })();
`;
