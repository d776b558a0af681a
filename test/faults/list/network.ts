import { askFrom, askQdrant, isReady } from '../support/ask.js';
import { cutOff, inspect, isOnNetwork, undoAll } from '../support/changes.js';
import type { Fault } from '../support/fault.js';
import { dev } from '../support/stacks.js';

const NETWORKS_OF_QDRANT = ['rag-api--qdrant', 'prometheus--qdrant', 'qdrant-collections--qdrant'];

export const NETWORK_FAULTS: readonly Fault[] = [
  {
    name: 'Qdrant is cut off from every network',
    deployment: dev,
    breaks: async () => {
      const undos = [];
      for (const id of NETWORKS_OF_QDRANT) {
        if (await isOnNetwork(dev, 'qdrant', id)) undos.push(await cutOff(dev, 'qdrant', id));
      }
      return undoAll(...undos);
    },
    isBroken: async () => (await askQdrant(dev, '/readyz')).status === 0,
    expects: { service: 'qdrant', check: 'ready' },
    timeoutSeconds: 60,
  },
  {
    name: 'the API is cut off from Qdrant',
    deployment: dev,
    breaks: () => cutOff(dev, 'rag-api', 'rag-api--qdrant'),
    isBroken: async () => (await askQdrant(dev, '/readyz')).status === 0,
    expects: { service: 'rag-api', check: 'ready', finding: 'drifted' },
    timeoutSeconds: 60,
  },
  {
    name: 'the API is cut off from PostgreSQL',
    deployment: dev,
    breaks: () => cutOff(dev, 'rag-api', 'rag-api--postgres'),
    isBroken: async () => !(await isReady(dev)),
    expects: { service: 'rag-api', check: 'ready' },
    timeoutSeconds: 60,
  },
  {
    name: 'the web bot is cut off from the API',
    deployment: dev,
    breaks: () => cutOff(dev, 'web-bot', 'web-bot--rag-api'),
    isBroken: async () => {
      const url = `http://${dev.engine.nameOf('rag-api')}:8000/livez`;
      return (await askFrom(dev, 'web-bot', { url })).status === 0;
    },
    expects: { service: 'web-bot', check: 'ready' },
    timeoutSeconds: 60,
  },
  {
    name: 'Prometheus is cut off from a target',
    deployment: dev,
    breaks: () => cutOff(dev, 'prometheus', 'prometheus--qdrant'),
    isBroken: async () =>
      (await inspect(dev, 'prometheus')).NetworkSettings.Networks['dev-prometheus--qdrant'] === undefined,
    expects: { service: 'prometheus', check: 'targets' },
  },
];
