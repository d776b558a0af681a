import { ScriptedEngine } from '../../operator/support/scripted-engine.js';
import { json } from '../../support/http-server.js';

/** What an engine of a test has. */
export interface HostEngineOptions {
  readonly memoryGiB?: number;
  /** More of what `docker info` shows. */
  readonly info?: Readonly<Record<string, unknown>>;
  readonly networks?: readonly { readonly name: string; readonly subnet: string }[];
  readonly ports?: readonly { readonly container: string; readonly port: number }[];
}

/** A Docker engine that answers what a new environment asks. */
export async function hostEngine(options: HostEngineOptions = {}): Promise<ScriptedEngine> {
  const { memoryGiB = 16, info = {}, networks = [], ports = [] } = options;
  const engine = await ScriptedEngine.start();
  const answers: Readonly<Record<string, unknown>> = {
    '/info': { ServerVersion: '28.2.2', MemTotal: memoryGiB * 2 ** 30, Runtimes: { runc: {} }, ...info },
    '/networks': [
      // As real engines have them.
      { Name: 'none', IPAM: { Config: null } },
      { Name: 'v6', IPAM: { Config: [{ Subnet: 'fd00::/64' }] } },
      ...networks.map(({ name, subnet }) => ({ Name: name, IPAM: { Config: [{ Subnet: subnet }] } })),
    ],
    '/containers/json': ports.map(({ container, port }) => ({
      Names: [`/${container}`],
      Ports: [
        { PrivatePort: 80, Type: 'tcp' },
        { PrivatePort: 81, PublicPort: port, Type: 'tcp' },
      ],
    })),
  };
  engine.intercept = (request, response) => {
    const answer = answers[request.url?.replace(/\?.*/, '') ?? ''];
    if (answer === undefined) return false;
    json(response, 200, answer);
    return true;
  };
  return engine;
}
