import { parentPort } from 'node:worker_threads';
import { type DocumentFile, extractDocument } from './extract.js';

// The thread of a DocumentReader: it says that it is ready, then answers each file with what became of it.
parentPort?.on('message', (file: DocumentFile) => {
  void extractDocument(file).then((extraction) => parentPort?.postMessage(extraction));
});
parentPort?.postMessage('ready');
