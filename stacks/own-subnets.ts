import { createHash } from 'node:crypto';
import { capacity, isSubnet, nthSubnet, overlaps, parseRange, poolFault, showRange } from '../config/subnets.js';
import { RagdockError } from '../src/errors/problem.js';

/** The networks of a stack, and what decides about their subnets. */
export interface OwnNetworks {
  /** Id of the stack. */
  readonly stack: string;
  readonly ids: readonly string[];
  /** Subnets that are settled, by the ids of networks. */
  readonly settled: Readonly<Record<string, string>>;
  /** Range for the others. */
  readonly pool: string | undefined;
}

/**
 * The subnet of each network. One that is not settled gets the /29 of the pool that its id names: no other network has
 * a say in it, so adding or removing one moves none.
 *
 * @throws RagdockError MODEL_INVALID with a pool that is none or is missing, and where two networks get one subnet
 */
export function subnetsOf({ stack, ids, settled, pool }: OwnNetworks): Readonly<Record<string, string>> {
  const subnets = new Map<string, string>();
  const add = (id: string, subnet: string): void => {
    if (!isSubnet(subnet)) {
      throw refusal(stack, `${subnet} of ${id} is no /29 named by its first address`, 'Write it as in 10.240.0.8/29.');
    }
    const [other] = [...subnets].find(([, taken]) => overlaps(parseRange(taken), parseRange(subnet))) ?? [];
    if (other !== undefined) {
      const message = `the networks ${other} and ${id} both get ${subnet}`;
      throw refusal(stack, message, `Name another subnet for ${id} in \`networks\`.`);
    }
    subnets.set(id, subnet);
  };
  for (const [id, subnet] of Object.entries(settled)) add(id, subnet);
  const open = ids.filter((id) => !subnets.has(id));
  if (open.length === 0) return settled;
  if (pool === undefined) {
    const message = `no subnet is given for ${open.join(', ')}`;
    throw refusal(stack, message, 'Give the stack a `networkPool`, or name their subnets in `networks`.');
  }
  const fault = poolFault(pool);
  if (fault) throw refusal(stack, `networkPool: ${fault.message}`, fault.remedy);
  for (const id of open) add(id, subnetNamed(`${stack}/${id}`, pool));
  return Object.fromEntries(subnets);
}

function subnetNamed(name: string, text: string): string {
  const pool = parseRange(text);
  return showRange(nthSubnet(pool, createHash('sha256').update(name).digest().readUInt32BE() % capacity(pool)));
}

function refusal(stack: string, message: string, remedy: string): RagdockError {
  return new RagdockError({ code: 'MODEL_INVALID', path: stack, message, remedy });
}
