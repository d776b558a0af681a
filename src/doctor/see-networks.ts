import type { NetworkInspectInfo } from 'dockerode';
import { overlaps, parseRange, showRange } from '../../config/subnets.js';
import type { Topology } from '../../constructs/engines/docker/index.js';
import type { SeenNetwork } from './evidence.js';
import { subnetsOf } from './see-engine.js';

/** The networks of an environment that the engine lacks, each with who has its addresses. */
export function missingNetworks(topology: Topology, networks: readonly NetworkInspectInfo[]): readonly SeenNetwork[] {
  const present = new Set(networks.map(({ Name }) => Name));
  return topology.networks
    .filter(({ name }) => !present.has(name))
    .map(({ name, subnet }) => {
      const wanted = parseRange(subnet);
      const [takenBy] = networks.flatMap((network) =>
        subnetsOf(network)
          .filter((range) => overlaps(range, wanted))
          .map((range) => ({ name: network.Name, subnet: showRange(range) })),
      );
      return { name, subnet, takenBy };
    });
}
