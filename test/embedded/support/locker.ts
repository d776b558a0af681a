import { createInterface } from 'node:readline';
import { FolderHeld, lockFolder } from '../../../src/embedded/folder-lock.js';

// Says `ready`. For each line of its input, a moment in milliseconds since the epoch and a folder, it takes that folder
// at that moment and says what came of it: `taken`, or the holder in JSON. Stays until its input ends.

createInterface(process.stdin).on('line', (line) => {
  const [moment, folder = ''] = line.split(' ');
  while (Date.now() < Number(moment));
  try {
    lockFolder(folder);
    console.log('taken');
  } catch (error) {
    if (!(error instanceof FolderHeld)) throw error;
    console.log(JSON.stringify(error.holder));
  }
});
console.log('ready');
