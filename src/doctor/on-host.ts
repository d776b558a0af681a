import type { SeenWorkload } from './evidence.js';
import type { ReadCause } from './read-log.js';

/** A path within a container, as a log names it in quotes. */
const QUOTED_PATH = /['"`](\/[^'"`]+)['"`]/;

/**
 * What a cause means where the model is in a folder of the host: no job brings its files, and none gives them to the
 * user of the server.
 */
export function causeOnHost({ hostModel }: SeenWorkload, read: ReadCause): ReadCause {
  if (!hostModel) return read;
  const { cause, lines } = read;
  const [, path] = QUOTED_PATH.exec(lines.at(-1) ?? '') ?? [];
  const isOfModel = path === undefined || `${path}/`.startsWith(`${hostModel.path}/`);
  const isOurs = cause.id === 'model-files-missing' || (cause.id === 'volume-not-writable' && isOfModel);
  return isOurs ? { ...read, cause: { ...cause, id: 'model-on-host-unreadable' } } : read;
}
