import { fileURLToPath } from 'node:url';
import type { Environment } from '../../config/environment.js';
import { loadEnvironments } from '../../config/load.js';
import { exceptionsOf, Service, type Workload } from '../../constructs/model/index.js';
import { wholeTopology } from '../operator/stack.js';
import { CIS_SECTION_5, CIS_VERSION, type Recommendation } from './cis.js';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

const HEAD = `# Hardening

<!-- Written by \`npm run generate\`. -->

What every container is unless a table below says otherwise. The deploy suite looks at each running container: what the engine
says of it, and what the kernel says of each of its processes. How a stack is attacked and what that meets is in
[security.md](security.md).

| | every container | seen in |
|---|---|---|
| root file system | read-only | \`/proc/PID/mounts\`; a write fails with EROFS |
| user | not root | \`Uid\` of \`/proc/PID/status\` |
| capabilities | none, in force or to be had | \`CapPrm\`, \`CapEff\`, \`CapAmb\`, \`CapBnd\` |
| new privileges | none | \`NoNewPrivs: 1\` |
| system calls | the engine's default filter | \`Seccomp: 2\` |
| memory | a limit, and no swap on top of it | the control group |
| writable folders | tmpfs with a size, \`noexec\`, \`nosuid\`, \`nodev\`; data volumes | \`/proc/PID/mounts\`; a program put there does not start |
| open files | 16384, or what the service needs | \`/proc/PID/limits\` |
| core files | none: they would hold secrets | \`/proc/PID/limits\` |
| namespaces | its own for processes, network, shared memory, names and mounts | \`/proc/PID/ns\` |
| process 1 | an init that passes signals on and reaps, but for the node exporter, which is among the host’s processes | \`/proc/PID/comm\` |
| log | three files of 10 MB | the engine |
| names outside of the stack | are not looked up, unless the container has a way out | the engine |

A capability, a folder of the host, a way out or anything else that is closed above has to be given back in code, with a reason
(\`relax\`, \`addHostMount\`, \`egress\`), and is then in the table of its stack. The suite fails for an exception that no table has, and
for one that a table has and the running container has not.

Beside services and jobs there are two kinds of containers:

- **Containers that carry files** (\`NAME-files\`) are made, filled and never started. They have a writable root and no user of their own,
  because that is how the engine takes files; their image has no program, they have no network and no capability.
- **Operator sessions** (\`ragdock ask\`, \`ingest\`, \`documents\`, \`smoke\`) are closed as in the table above, have no more than 64 processes and 4096 open
  files, keep no log, and are removed when they end. One that asks a server outside of the stack has its client’s way out.

Engines before 25 mount a folder of the host for reading only without what the host has mounted below it. That concerns the node
exporter's \`/\`: there a folder of another file system can be written to by whoever has no rights there may write as, \`/dev/shm\` for one. What is mounted there
after the container has started arrives as it is with every engine.
`;

/** The page docs/hardening.md. */
export function hardeningPage(): string {
  const environments = loadEnvironments({ cwd: PROJECT });
  return [
    HEAD,
    '## Exceptions',
    '',
    ...environments.flatMap(exceptionsSection),
    '## Who shares a network',
    '',
    'The two members of a pair reach every port of each other, whichever of them is the client. Nobody else shares a network.',
    '',
    ...environments.flatMap(pairsSection),
    '## CIS Docker Benchmark',
    '',
    `Section 5 (container runtime) of version ${CIS_VERSION}, in our words. Tests below \`deploy/\` are of the deploy suite, for dev and saiga; the others need no engine.`,
    '',
    '| | asks | stands | by |',
    '|---|---|---|---|',
    ...CIS_SECTION_5.map(cisRow),
    '',
  ].join('\n');
}

function exceptionsSection(environment: Environment): readonly string[] {
  const rows = exceptionsOf(wholeTopology(environment).workloads).map(
    ({ workload, what, reason }) => `| ${workload} | ${what} | ${reason} |`,
  );
  return [`### ${environment.name}`, '', '| container | exception | why |', '|---|---|---|', ...rows, ''];
}

function pairsSection(environment: Environment): readonly string[] {
  const { workloads } = wholeTopology(environment);
  const idsOf = (list: readonly Workload[]) => list.map(({ node }) => node.id).join(', ') || 'nobody';
  const rows = workloads.filter(Service.isService).map((service) => {
    const servers = [...new Set(service.connections.map(({ owner }) => owner.node.id))].sort().join(', ') || 'nobody';
    const clients = workloads.filter((other) => other.connections.some(({ owner }) => owner === service));
    return `| ${service.node.id} | ${servers} | ${idsOf(clients)} |`;
  });
  return [
    `### ${environment.name}: pairs`,
    '',
    '| service | is connected to | its clients |',
    '|---|---|---|',
    ...rows,
    '',
  ];
}

function cisRow({ id, asks, standing }: Recommendation): string {
  if ('host' in standing) return `| ${id} | ${asks} | the host’s | ${standing.host} |`;
  if ('notMet' in standing) return `| ${id} | ${asks} | not met | ${standing.notMet} |`;
  const proofs = standing.met.map(({ file, test }) => `“${test}” (\`${file.slice('test/'.length)}\`)`).join(', ');
  return `| ${id} | ${asks} | met${standing.note === undefined ? '' : `, ${standing.note}`} | ${proofs} |`;
}
