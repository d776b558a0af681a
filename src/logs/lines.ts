import type { Frame } from '../operator/demultiplex.js';
import { printable } from '../operator/printable.js';

/** A line that a workload wrote, its secrets still in it. */
export interface LogLine {
  readonly service: string;
  /** When, by the engine's clock, to the nanosecond. Of one width, so that the order of times is that of texts. */
  readonly time: string;
  /** Without control characters: one that stands inside a secret would hide it from the masking. */
  readonly text: string;
  /** Whether its end is missing, because it was too long to be held. */
  readonly cut: boolean;
}

/** Most that is held of a line that does not end, in bytes. */
const LONGEST_HELD = 1024 * 1024;

/** How the engine begins what it is asked to give with times. */
const TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z) ?/;
const LONGEST_TIME = 40;

const LINE_FEED = 10;

interface Pending {
  pieces: Buffer[];
  bytes: number;
  time: string | undefined;
}

/**
 * Whole lines from the frames of one container's log, times included. The engine cuts long lines into several messages,
 * each with a time of its own, and a connection cuts anywhere: what has no end yet is held back, so that nothing is
 * masked in halves.
 */
export class LineAssembler {
  readonly #service: string;
  readonly #pending = { stdout: nothing(), stderr: nothing() };
  #lastTime = '';

  constructor(service: string) {
    this.#service = service;
  }

  /** The lines that this frame completed. */
  push({ stream, data }: Frame): readonly LogLine[] {
    const lines: LogLine[] = [];
    for (let at = 0; at < data.length; ) {
      const pending = this.#pending[stream];
      const [whole = '', time] = TIME.exec(data.toString('latin1', at, at + LONGEST_TIME)) ?? [];
      pending.time ??= time;
      const end = data.indexOf(LINE_FEED, at + whole.length);
      append(pending, data.subarray(at + whole.length, end < 0 ? data.length : end));
      if (end < 0) break;
      lines.push(this.#take(stream));
      at = end + 1;
    }
    return lines;
  }

  /** What the container wrote last without ending the line. */
  end(): readonly LogLine[] {
    return (['stdout', 'stderr'] as const)
      .filter((stream) => this.#pending[stream].bytes > 0)
      .map((stream) => this.#take(stream));
  }

  #take(stream: Frame['stream']): LogLine {
    const { pieces, bytes, time } = this.#pending[stream];
    this.#pending[stream] = nothing();
    this.#lastTime = time ?? this.#lastTime;
    return {
      service: this.#service,
      time: this.#lastTime,
      text: printable(Buffer.concat(pieces).toString('utf8')),
      cut: bytes > LONGEST_HELD,
    };
  }
}

function append(pending: Pending, piece: Buffer): void {
  const room = Math.max(0, LONGEST_HELD - pending.bytes);
  pending.bytes += piece.length;
  // A copy: the piece is a window on a buffer that is used again.
  if (room > 0) pending.pieces.push(Buffer.from(piece.subarray(0, room)));
}

const nothing = (): Pending => ({ pieces: [], bytes: 0, time: undefined });
