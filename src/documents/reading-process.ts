import { type DocumentFile, extractDocument } from './extract.js';

// The process of a DocumentReader: it says that it is ready, then answers each file with what became of it.
process.on('message', (file: DocumentFile) => {
  void extractDocument(file).then((extraction) => process.send?.(extraction));
});
process.on('disconnect', () => process.exit());
// Ctrl-C is for whoever reads: it ends this process, or lets the file come to its end.
process.on('SIGINT', () => undefined);
process.send?.('ready');
