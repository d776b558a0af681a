import { leftoversOf } from '../leftovers.js';
import { connected, forget } from './postgres.js';
import { SMOKE_USER, type SmokePlan, smokeUser, type TargetOf, targetOf } from './protocol.js';
import { sweepScratchCollections } from './qdrant.js';
import { sweepScratchDocuments } from './scratch.js';

/**
 * Remove what cut-off runs left behind: scratch collections, scratch documents and their exchanges. Never rejects: what
 * refuses to be asked is told by its own checks, and what stays now goes with the next run.
 */
export async function sweepLeftovers(plan: SmokePlan, signal: AbortSignal): Promise<void> {
  const { run, liveRuns } = plan;
  if (!liveRuns) return;
  const isLeftover = leftoversOf({ run, liveRuns });
  const qdrant = targetOf(plan, 'qdrant');
  const postgres = targetOf(plan, 'postgres');
  const { collection, course } = plan.path;
  await Promise.allSettled([
    ...(qdrant
      ? [
          sweepScratchCollections(qdrant, isLeftover, signal),
          ...(collection === undefined
            ? []
            : [
                sweepScratchDocuments(qdrant, targetOf(plan, 'embeddings'), { collection, course }, isLeftover, signal),
              ]),
        ]
      : []),
    ...(postgres ? [sweepExchanges(postgres, isLeftover)] : []),
  ]);
}

/** Forget what smoke tests asked that nobody waits for any more. */
export async function sweepExchanges(
  postgres: TargetOf<'postgres'>,
  isLeftover: (run: string) => boolean,
): Promise<void> {
  await connected(postgres, `log in at ${postgres.url}`, async (client) => {
    // An index has names and times of all exchanges; their texts are not read.
    const { rows } = await client.query<{ user_name: string }>(
      'SELECT DISTINCT user_name FROM rag.exchanges WHERE created_at <= now() AND starts_with(user_name, $1)',
      [SMOKE_USER],
    );
    for (const { user_name: user } of rows) {
      const run = user.slice(smokeUser('').length);
      // The name alone is of a time when runs had none of their own.
      if (user === SMOKE_USER || (user.startsWith(smokeUser('')) && isLeftover(run))) await forget(client, user);
    }
  });
}
