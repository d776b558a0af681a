/** How the scripted model answers, until it is told otherwise. */
export interface Script {
  /** Before the first token, in milliseconds. */
  readonly firstMs: number;
  /** Between two tokens, in milliseconds; 0 writes all of them at once. */
  readonly intervalMs: number;
  readonly tokens: number;
}

/** A token as the model says it: a Russian word with a space, 17 bytes in UTF-8. */
export const TOKEN = 'например ';

/** What a child process is asked, over its channel. */
export type Command = { readonly script: Script } | { readonly usage: 'processor' | 'memory' };

/** What it has used up to now. */
export interface Usage {
  /** Processor time of the process, in microseconds: in its own code, and in the kernel. */
  readonly userUs: number;
  readonly systemUs: number;
  /** Memory of the heap that is in use, in bytes; after a collection where memory was asked for. */
  readonly heapBytes: number;
  readonly residentBytes: number;
}

/** Answers the other side of the channel. */
export function serveUsage(onScript: (script: Script) => void = () => undefined): void {
  process.on('message', (command: Command) => {
    if ('script' in command) {
      onScript(command.script);
      process.send?.('ok');
      return;
    }
    const { user, system } = process.cpuUsage();
    // A collection takes processor time of its own.
    if (command.usage === 'memory') globalThis.gc?.();
    const { heapUsed, rss } = process.memoryUsage();
    process.send?.({ userUs: user, systemUs: system, heapBytes: heapUsed, residentBytes: rss } satisfies Usage);
  });
  process.on('disconnect', () => process.exit());
}
