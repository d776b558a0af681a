import type { Deployment } from '../../deploy/support/deployment.js';
import { until } from '../../deploy/support/poll.js';
import { inPlaceOf, inspect, isLooping, isStatus } from '../support/changes.js';
import type { Fault } from '../support/fault.js';
import { dev, prod } from '../support/stacks.js';

/** @param finding what the doctor says of the way in which it ended. @default - it is not asked */
const stopped = (deployment: Deployment, service: string, finding?: string): Fault => ({
  name: `${service} is stopped`,
  deployment,
  breaks: async () => {
    const container = deployment.engine.containerOf(service);
    await container.stop();
    return () => container.start();
  },
  isBroken: () => isStatus(deployment, service, 'exited'),
  expects: { service, check: 'container', ...(finding === undefined ? {} : { finding }) },
});

const paused = (deployment: Deployment, service: string): Fault => ({
  name: `${service} is paused`,
  deployment,
  breaks: async () => {
    const container = deployment.engine.containerOf(service);
    await container.pause();
    return () => container.unpause();
  },
  isBroken: () => isStatus(deployment, service, 'paused'),
  expects: { service, check: 'container', finding: 'container-paused' },
});

/** The engine does not start again what somebody killed by hand. */
const killed = (deployment: Deployment, service: string): Fault => ({
  name: `${service} is killed`,
  deployment,
  breaks: async () => {
    const container = deployment.engine.containerOf(service);
    await container.kill();
    return () => container.start();
  },
  isBroken: () => isStatus(deployment, service, 'exited'),
  expects: { service, check: 'container', finding: 'container-ended' },
});

/** Less memory than a service takes to start, in MiB: the kernel kills it each time. */
const outOfMemory = (deployment: Deployment, service: string, memoryMiB: number): Fault => {
  const limit = (bytes: number) => ({ Memory: bytes, MemorySwap: bytes });
  return {
    name: `${service} has ${memoryMiB} MiB of memory`,
    deployment,
    breaks: async () => {
      const container = deployment.engine.containerOf(service);
      const { HostConfig } = await container.inspect();
      await container.stop();
      await container.update(limit(memoryMiB * 2 ** 20));
      await container.start().catch(() => undefined);
      return async () => {
        await container.stop();
        await container.update(limit(HostConfig.Memory ?? 0));
        await container.start();
      };
    },
    isBroken: async () => {
      if (!(await isLooping(deployment, service))) return false;
      // Between two starts the engine has forgotten how the last one ended.
      return until('it is told why', async () => (await inspect(deployment, service)).State.OOMKilled, 60);
    },
    expects: { service, check: 'container', finding: 'memory-exhausted' },
  };
};

const crashLoop = (deployment: Deployment, service: string): Fault => ({
  name: `${service} is in a crash loop`,
  deployment,
  breaks: () => inPlaceOf(deployment, service, ({ Config }) => ({ Cmd: [...(Config.Cmd ?? []), '--no-such-option'] })),
  isBroken: () => isLooping(deployment, service),
  expects: { service, check: 'container', finding: 'crash-loop' },
});

export const CONTAINER_FAULTS: readonly Fault[] = [
  stopped(dev, 'qdrant', 'ended-without-error'),
  stopped(dev, 'postgres', 'ended-without-error'),
  stopped(dev, 'llm-main', 'ended-without-error'),
  stopped(dev, 'rag-api', 'ended-without-error'),
  stopped(dev, 'web-bot', 'ended-without-error'),
  stopped(dev, 'prometheus', 'ended-without-error'),
  paused(dev, 'postgres'),
  paused(dev, 'llm-main'),
  killed(dev, 'node-exporter'),
  outOfMemory(dev, 'web-bot', 24),
  crashLoop(dev, 'node-exporter'),
];

export const WATCHER_CONTAINER_FAULTS: readonly Fault[] = [
  stopped(prod, 'embeddings'),
  stopped(prod, 'alertmanager', 'ended-without-error'),
  paused(prod, 'grafana'),
  killed(prod, 'postgres-exporter'),
];
