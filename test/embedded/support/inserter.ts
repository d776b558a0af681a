import { randomUUID } from 'node:crypto';
import { Database } from '../../../src/embedded/database.js';
import { EmbeddedHistory } from '../../../src/embedded/history.js';

// Opens the database in the folder of its argument and begins one exchange after another, for ever. Prints the id of
// each when it is acknowledged.

const [folder = ''] = process.argv.slice(2);
const history = new EmbeddedHistory(await Database.open(folder));

for (;;) {
  const id = randomUUID();
  await history.begin({ id, requestId: id, userName: 'u', course: 'demo', question: 'q'.repeat(2000), model: 'm' });
  console.log(id);
}
