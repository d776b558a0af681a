/** A file with tests of the deploy suite, run for dev and for saiga, and the title of one of them. */
interface Proof {
  readonly file: string;
  readonly test: string;
}

/** How a recommendation stands: who proves that it is met, why it is not, or why it is the host's. */
export type Standing =
  | { readonly met: readonly Proof[]; readonly note?: string }
  | { readonly notMet: string }
  | { readonly host: string };

/** One recommendation of section 5, in our words. */
export interface Recommendation {
  readonly id: string;
  readonly asks: string;
  readonly standing: Standing;
}

/** The version whose numbers these are. */
export const CIS_VERSION = '1.6.0';

const list = 'test/deploy/support/list';
const hardening = (test: string): Proof => ({ file: `${list}/hardening.ts`, test });
const isolation = (test: string): Proof => ({ file: `${list}/isolation.ts`, test });
const model = (test: string): Proof => ({ file: 'test/hardening/model.test.ts', test });

const EXCEPTIONS = hardening('the containers have the exceptions of docs/hardening.md, and no others');
const KERNEL = hardening('every process of %s is as the kernel should have it');

/** Section 5 of the CIS Docker Benchmark, container runtime. */
export const CIS_SECTION_5: readonly Recommendation[] = [
  {
    id: '5.1',
    asks: 'Swarm mode is off where nobody needs it',
    standing: { host: 'ragdock neither needs it nor turns it on; `docker swarm leave` does the rest' },
  },
  {
    id: '5.2',
    asks: 'An AppArmor profile is in force',
    standing: {
      host: 'the engine gives every container its default profile where the kernel has AppArmor, and no container asks for another',
    },
  },
  {
    id: '5.3',
    asks: 'SELinux labels are in force',
    standing: {
      host: 'a matter of the engine’s `--selinux-enabled`; only a container that sees the host’s processes or shared memory goes without a label',
    },
  },
  { id: '5.4', asks: 'Capabilities are dropped', standing: { met: [KERNEL, EXCEPTIONS] } },
  { id: '5.5', asks: 'No container is privileged', standing: { met: [EXCEPTIONS] } },
  {
    id: '5.6',
    asks: 'No sensitive folder of the host is mounted',
    standing: { met: [EXCEPTIONS], note: 'but for those of the table above, for reading only' },
  },
  {
    id: '5.7',
    asks: 'No SSH server in a container',
    standing: { met: [isolation('nothing listens but what the model knows')] },
  },
  {
    id: '5.8',
    asks: 'No port below 1024 is mapped inside a container',
    standing: { met: [model('no container listens on a privileged port')] },
  },
  {
    id: '5.9',
    asks: 'Only ports that are needed are open',
    standing: { met: [isolation('nothing listens but what the model knows')] },
  },
  {
    id: '5.10',
    asks: 'The host’s network is not shared',
    standing: { met: [EXCEPTIONS, KERNEL], note: 'but for the node exporter' },
  },
  { id: '5.11', asks: 'Memory is limited', standing: { met: [KERNEL] } },
  {
    id: '5.12',
    asks: 'Processor shares are set',
    standing: { notMet: 'all containers have the same share; a limit would slow the model down on an idle machine' },
  },
  { id: '5.13', asks: 'The root file system is read-only', standing: { met: [KERNEL] } },
  {
    id: '5.14',
    asks: 'Published ports bind one address',
    standing: { met: [EXCEPTIONS, model('every published port of the environments is on loopback')] },
  },
  {
    id: '5.15',
    asks: 'A failing container is restarted five times at most',
    standing: {
      notMet:
        'a service comes back however often it failed, since a machine without people has nobody to start it; the pauses grow to a minute',
    },
  },
  {
    id: '5.16',
    asks: 'The host’s processes are not shared',
    standing: { met: [EXCEPTIONS, KERNEL], note: 'but for the node exporter' },
  },
  { id: '5.17', asks: 'The host’s shared memory is not shared', standing: { met: [EXCEPTIONS, KERNEL] } },
  {
    id: '5.18',
    asks: 'No device of the host is handed over',
    standing: { met: [EXCEPTIONS], note: 'but for graphics cards' },
  },
  {
    id: '5.19',
    asks: 'Limits of resources are set where they are needed',
    standing: { met: [KERNEL], note: 'open files and core files' },
  },
  { id: '5.20', asks: 'No mount is shared', standing: { met: [EXCEPTIONS] } },
  { id: '5.21', asks: 'The host’s names are not shared', standing: { met: [KERNEL] } },
  { id: '5.22', asks: 'The default seccomp profile is in force', standing: { met: [KERNEL, EXCEPTIONS] } },
  {
    id: '5.23',
    asks: 'Nobody runs privileged commands in containers',
    standing: { host: 'whoever may use the engine decides; ragdock runs none' },
  },
  {
    id: '5.24',
    asks: 'Nobody runs commands in containers as root',
    standing: { host: 'whoever may use the engine decides; ragdock runs none' },
  },
  {
    id: '5.25',
    asks: 'The container is in the control group of the engine',
    standing: { met: [model('no container names a control group')] },
  },
  { id: '5.26', asks: 'No process gains privileges', standing: { met: [KERNEL, EXCEPTIONS] } },
  { id: '5.27', asks: 'The engine checks the health of what runs', standing: { met: [KERNEL] } },
  {
    id: '5.28',
    asks: 'Images are pinned, and not whatever is newest',
    standing: { met: [model('every image has a tag that is a version')] },
  },
  {
    id: '5.29',
    asks: 'The number of processes is limited',
    standing: {
      notMet:
        'the provider cannot set it for a container; operator sessions, which it does not make, have 64. Set `default-pids-limit` for the engine’s host where its version knows it',
    },
  },
  { id: '5.30', asks: 'The default bridge is not used', standing: { met: [EXCEPTIONS] } },
  {
    id: '5.31',
    asks: 'The host’s users are not shared',
    standing: { met: [EXCEPTIONS], note: 'no container asks for them; mapping them is the engine’s `userns-remap`' },
  },
  { id: '5.32', asks: 'The engine’s socket is not mounted', standing: { met: [EXCEPTIONS, KERNEL] } },
];
