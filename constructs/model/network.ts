import type { Construct } from 'constructs';
import { ExternalServer } from './external-server.js';
import { Service } from './service.js';
import { Workload } from './workload.js';

/**
 * A network that the model asks for. Two clients of one server would reach each other on a shared network, so every
 * pair of client and server has one of its own.
 */
export interface NetworkPlan {
  /** Stable id: `<client>--<server>`, `<service>--published`, `<workload>--egress`. */
  readonly id: string;
  /**
   * Closed networks have no way out; open ones exist to publish a port, to let a job download, or to let a client reach
   * a server outside the stack.
   */
  readonly kind: 'pair' | 'external' | 'published' | 'egress';
  /** Workloads that join it. One on the host's own network is reached through the network's gateway instead. */
  readonly members: readonly Workload[];
  /** Whom the network leads to; undefined for one that publishes a port or lets a job download. */
  readonly server?: Workload | ExternalServer;
}

/** All workloads below `scope`, in the order of their ids. */
export function workloadsOf(scope: Construct): readonly Workload[] {
  return scope.node
    .findAll()
    .filter(Workload.isWorkload)
    .sort((a, b) => (a.node.id < b.node.id ? -1 : 1));
}

/** Every network that the workloads below `scope` need, sorted by id. */
export function planNetworks(scope: Construct): readonly NetworkPlan[] {
  const plans = new Map<string, NetworkPlan>();
  for (const workload of workloadsOf(scope)) {
    for (const server of new Set(workload.connections.map((endpoint) => endpoint.owner))) {
      const id = pairId(workload, server);
      plans.set(
        id,
        ExternalServer.isExternalServer(server)
          ? { id, kind: 'external', members: [workload], server }
          : { id, kind: 'pair', members: [workload, server], server },
      );
    }
    if (Service.isService(workload) && workload.published.length > 0) {
      const id = `${workload.node.id}--published`;
      plans.set(id, { id, kind: 'published', members: [workload] });
    }
    if (workload.egress) {
      const id = `${workload.node.id}--egress`;
      plans.set(id, { id, kind: 'egress', members: [workload] });
    }
  }
  return [...plans.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Id of the network between a client and a server. */
export function pairId(client: Workload, server: Workload | ExternalServer): string {
  return `${client.node.id}--${server.node.id}`;
}

/** Whether a workload gets to other machines: to download, to tell somebody, or to ask a server outside the stack. */
export function leadsOut({ egress, connections }: Workload): boolean {
  return egress !== undefined || connections.some(({ owner }) => ExternalServer.isExternalServer(owner));
}
