import type { Schemas } from '@qdrant/js-client-rest';
import { LEARNED_PREFIX } from '../../../rag/learn.js';
import { type Check, CheckFailure } from './check.js';
import { expectStatus, jsonOf } from './http.js';
import { connected } from './postgres.js';
import { SMOKE_USER, type SmokePlan, type TargetOf, targetOf } from './protocol.js';
import { askQdrant } from './qdrant.js';
import { type RunContext, runCheck, skip } from './runner.js';
import { SCRATCH_PREFIX } from './scratch.js';

const NAME = 'holds what answers rest on';

/** Points that are looked at in search of one that is no scratch document's. */
const FEW_POINTS = 50;

/** Exchanges that are looked at, the newest ones, and how old they may be. */
const MOST_EXCHANGES = 1000;
const RECENT = '7 days';

/**
 * Whether Qdrant still has what the history says that it had. A collection of a new stack is empty and right; one that
 * answers of the last days rest on was emptied, and nothing else shows it: it exists, it takes and finds new points,
 * and questions about it get the refusal for what nobody knows. Never rejects.
 *
 * @param asked resolves when a service was asked all that is asked of it alone
 */
export async function checkCited(
  plan: SmokePlan,
  context: RunContext,
  asked: (id: string) => Promise<void> | undefined,
): Promise<void> {
  const qdrant = targetOf(plan, 'qdrant');
  const postgres = targetOf(plan, 'postgres');
  // Outside a stack one of them may be out of reach.
  if (!qdrant || !postgres) return;
  await Promise.all([asked(qdrant.id), asked(postgres.id)]);
  const lost = context.board.lostAmong([qdrant.id, postgres.id]);
  if (lost.length > 0) skip(qdrant.id, NAME, 'service', `without ${lost.join(', ')}`, lost, context);
  else {
    // Half of what it asks is PostgreSQL's to answer.
    const needs = [...qdrant.needs, postgres.id];
    await runCheck({ id: qdrant.id, needs }, citedCheck(qdrant, postgres), context);
  }
}

export function citedCheck(qdrant: TargetOf<'qdrant'>, postgres: TargetOf<'postgres'>): Check {
  return {
    name: NAME,
    seconds: 30,
    run: async (signal) => {
      const looked = await Promise.all(
        qdrant.collections.map(async ({ name }) => ((await isEmpty(qdrant, name, signal)) ? [name] : [])),
      );
      const empty = looked.flat();
      if (empty.length === 0) return;
      const cited = await connected(postgres, `log in at ${postgres.url}`, async (client) => {
        const { rows } = await client.query<{ collection: string; source: string }>(CITED, [
          SMOKE_USER,
          MOST_EXCHANGES,
          RECENT,
          empty,
          LEARNED_PREFIX,
        ]);
        return rows;
      });
      if (cited.length === 0) return;
      throw new CheckFailure({
        asked: `a point in ${empty.join(', ')}, and the exchanges of ${RECENT}`,
        expected: 'a point in every collection that answers rest on',
        came: cited
          .map(({ collection, source }) => `${collection} is empty, and answers rest on its ${source}`)
          .join('; '),
      });
    },
  };
}

/**
 * One source for each of these collections that the newest answers rest on. A passage that was learned from an exchange
 * is taken back when its reader says so, and the answers that rest on it stay.
 */
const CITED = `
  SELECT DISTINCT ON (collection) collection, source
    FROM (SELECT sources FROM rag.exchanges
           WHERE created_at > now() - $3::interval AND status = 'complete' AND NOT starts_with(user_name, $1)
           ORDER BY created_at DESC LIMIT $2) AS newest,
         jsonb_to_recordset(CASE jsonb_typeof(sources) WHEN 'array' THEN sources ELSE '[]' END)
           AS cited (collection text, source text)
   WHERE collection = ANY ($4::text[]) AND starts_with(source, $5) IS NOT TRUE
   ORDER BY collection`;

async function isEmpty(qdrant: TargetOf<'qdrant'>, name: string, signal: AbortSignal): Promise<boolean> {
  const reply = await askQdrant(qdrant, {
    method: 'POST',
    path: `/collections/${encodeURIComponent(name)}/points/scroll`,
    body: { limit: FEW_POINTS, with_payload: ['source'], with_vector: false },
    signal,
  });
  // That a collection is not there is told by the check of collections.
  if (reply.status === 404) return false;
  expectStatus(reply, 200, `points of ${name}`);
  const { points } = jsonOf<{ result: Schemas['ScrollResult'] }>(reply, 'points').result;
  return points.every(({ payload }) => String(payload?.source ?? '').startsWith(SCRATCH_PREFIX));
}
