/** A piece of what a container wrote. */
export interface Frame {
  readonly stream: 'stdout' | 'stderr';
  readonly data: Buffer;
}

/** One byte of stream type, three of nothing, four of length (big-endian); Docker Engine API, "ContainerAttach". */
const HEADER = 8;
const STDERR = 2;

/**
 * Takes the two streams of a container without a terminal apart. Pieces come as the engine sent them, so that a
 * reader who is slow slows the container down instead of filling the memory.
 */
export async function* demultiplex(chunks: AsyncIterable<Buffer> | Iterable<Buffer>): AsyncGenerator<Frame> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (rest.length >= HEADER) {
      const end = HEADER + rest.readUInt32BE(4);
      if (rest.length < end) break;
      yield { stream: rest.readUInt8(0) === STDERR ? 'stderr' : 'stdout', data: rest.subarray(HEADER, end) };
      rest = rest.subarray(end);
    }
  }
}
