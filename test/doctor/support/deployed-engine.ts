import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Environment } from '../../../config/environment.js';
import { filesVolumes } from '../../../constructs/engines/docker/index.js';
import { Service } from '../../../constructs/model/index.js';
import { collectEvidence } from '../../../src/doctor/collect.js';
import { diagnose } from '../../../src/doctor/diagnose.js';
import type { Finding } from '../../../src/doctor/finding.js';
import { connectEngine } from '../../../src/operator/docker.js';
import { wholeTopology } from '../../../src/operator/stack.js';
import type { ScriptedEngine } from '../../operator/support/scripted-engine.js';
import { expectedOf, statusEngine } from '../../status/support.js';

/** `GET /info` of the test host's engine, in part. */
const INFO = {
  ServerVersion: '20.10.24+dfsg1',
  DockerRootDir: '/nowhere/docker',
  Runtimes: { runc: {}, 'io.containerd.runc.v2': {} },
  KernelVersion: '6.1.0',
  Driver: 'overlay2',
  Name: 'host-of-somebody',
};

/** An engine of the doctor's tests: what it says of itself, of its networks and volumes can be changed. */
export interface DoctorEngine {
  readonly engine: ScriptedEngine;
  info: Record<string, unknown>;
  version: { Version: string; ApiVersion: string };
  /** As `GET /networks` lists them. */
  networks: { Name: string; IPAM: { Config: { Subnet: string }[] } }[];
  /** As `GET /volumes` lists them. */
  volumes: { Name: string; Mountpoint: string }[];
}

/** An engine on which an environment runs as a deploy of today makes it, with files containers, and all of it well. */
export async function doctorEngine(environment: Environment): Promise<DoctorEngine> {
  const engine = await statusEngine(environment);
  const topology = wholeTopology(environment);
  const answers: DoctorEngine = {
    engine,
    version: { Version: INFO.ServerVersion, ApiVersion: '1.41' },
    info: { ...INFO, SystemTime: engine.now().toISOString() },
    networks: topology.networks.map(({ name: Name, subnet: Subnet }) => ({ Name, IPAM: { Config: [{ Subnet }] } })),
    volumes: engine.volumes.map((Name) => ({ Name, Mountpoint: `/nowhere/docker/volumes/${Name}/_data` })),
  };
  for (const workload of topology.workloads) {
    const name = topology.containerName(workload);
    const listed = engine.others.find(({ Id }) => Id === name);
    if (listed && Service.isService(workload)) {
      listed.Ports = workload.published.map(({ port, address }) => ({ PublicPort: port, IP: address }));
      const known = engine.states.get(name) as { HostConfig: object };
      engine.states.set(name, {
        ...known,
        HostConfig: { ...known.HostConfig, RestartPolicy: { Name: workload.restart } },
      });
    }
    if (filesVolumes(workload, topology).length === 0) continue;
    engine.others.push({
      Id: `${name}-files`,
      Names: [`/${name}-files`],
      State: 'created',
      Created: 0,
      Ports: [],
      Labels: { 'ragdock.environment': environment.name, 'ragdock.files-of': workload.node.id },
    });
  }
  engine.intercept = (request: IncomingMessage, response: ServerResponse): boolean => {
    const path = request.url?.replace(/\?.*$/, '');
    const answer = {
      '/info': answers.info,
      '/version': answers.version,
      '/networks': answers.networks,
      '/volumes': { Volumes: answers.volumes },
    }[path ?? ''];
    if (answer === undefined) return false;
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer));
    return true;
  };
  return answers;
}

/** Take a container away. */
export function remove({ engine }: DoctorEngine, name: string): void {
  engine.states.delete(name);
  engine.others.splice(0, engine.others.length, ...engine.others.filter(({ Id }) => Id !== name));
}

/** What the doctor finds of an environment on this engine. */
export async function diagnosed(
  { engine }: DoctorEngine,
  environment: Environment,
  options: { readonly secrets?: readonly string[]; readonly project?: string; readonly describedAs?: Environment } = {},
): Promise<readonly Finding[]> {
  const docker = await connectEngine(engine.address);
  const { secrets = [], project, describedAs = environment } = options;
  const { settings } = describedAs;
  const described = { ...describedAs, settings: { ...settings, host: { ...settings.host, docker: engine.address } } };
  return diagnose(
    await collectEvidence(docker, described, {
      secrets,
      signal: new AbortController().signal,
      expected: expectedOf(environment),
      ...(project === undefined ? {} : { project }),
    }),
  );
}
