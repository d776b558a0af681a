import type { WebBotSettings } from './settings.js';

/** What one reader, one answer and one upstream request may take. Times are in milliseconds. */
export interface WebBotLimits {
  /** Largest packet from a client, in bytes; a larger one closes its connection. */
  readonly packetBytes: number;
  /** Longest time that a client may take to send an HTTP request. */
  readonly requestMs: number;
  /** TCP connections open at once, and those of one address. */
  readonly connections: number;
  readonly connectionsPerAddress: number;
  /** Chats open at once from one client address. */
  readonly socketsPerAddress: number;
  /** Time for which a session token opens a chat. */
  readonly sessionMs: number;
  /** Time until a connection that has not joined the chat is closed. */
  readonly joinMs: number;
  /** Questions that one socket may send at once, and the time after which it may send one more. */
  readonly questionBurst: number;
  readonly questionRefillMs: number;
  /** An answer's text waits so long, or for so many UTF-16 units, and then goes out as one chunk. */
  readonly coalesceMs: number;
  readonly coalesceCharacters: number;
  /** Time for which an answer goes on without a reader whose connection was lost. */
  readonly graceMs: number;
  /** Time for which a finished answer can be fetched again, and how many of them are kept at most. */
  readonly retentionMs: number;
  readonly retainedAnswers: number;
  /** Longest time an answer may take in all. */
  readonly answerMs: number;
  /** Time that answers in flight get to finish when the bot is told to stop. */
  readonly drainMs: number;
  /** Time for which the API's readiness is taken as known, and the longest wait for it. */
  readonly readinessCacheMs: number;
  readonly readinessTimeoutMs: number;
  /** Longest wait for the sources of a complete answer. */
  readonly sourcesMs: number;
  readonly api: ApiLimits;
}

export interface ApiLimits {
  readonly connectMs: number;
  /** Longest wait for the response's headers, which the API holds back until the first token. */
  readonly headersMs: number;
  /** Longest silence inside an answer. */
  readonly idleMs: number;
  /** Largest response body, in bytes. */
  readonly bodyBytes: number;
  /** Connections open at once; null for any number. */
  readonly connections: number | null;
}

/** Share of the connections that the API takes of one address; the rest are those that it has not seen closed yet. */
const CONNECTIONS_SHARE = 0.9;

/** The limits of an installation, with waits longer than the API's own: the API, which knows the cause, gives up first. */
export function limitsFor({ api, limits }: Pick<WebBotSettings, 'api' | 'limits'>): WebBotLimits {
  const longer = (seconds: number): number => seconds * 1000 + 10_000;
  return {
    ...DEFAULT_LIMITS,
    packetBytes: limits.packetKiB * 1024,
    requestMs: limits.requestSeconds * 1000,
    connections: limits.connections,
    connectionsPerAddress: limits.connectionsPerAddress,
    socketsPerAddress: limits.socketsPerAddress,
    sessionMs: limits.sessionSeconds * 1000,
    questionBurst: limits.questionsInARow,
    questionRefillMs: limits.secondsPerQuestion * 1000,
    answerMs: longer(api.totalSeconds),
    api: {
      ...DEFAULT_LIMITS.api,
      headersMs: longer(api.firstTokenSeconds),
      idleMs: longer(api.idleSeconds),
      connections: api.connections === undefined ? null : Math.max(1, Math.floor(api.connections * CONNECTIONS_SHARE)),
    },
  };
}

/**
 * `graceMs` covers a page that is loaded again and a client's first three attempts to reconnect;
 * `drainMs` stays below the 15 s that the container is given to stop.
 */
export const DEFAULT_LIMITS: WebBotLimits = {
  packetBytes: 64 * 1024,
  requestMs: 15_000,
  connections: 1000,
  connectionsPerAddress: 200,
  socketsPerAddress: 50,
  sessionMs: 600_000,
  joinMs: 10_000,
  questionBurst: 6,
  questionRefillMs: 5_000,
  coalesceMs: 40,
  coalesceCharacters: 256,
  graceMs: 5_000,
  retentionMs: 60_000,
  retainedAnswers: 500,
  answerMs: 900_000,
  drainMs: 12_000,
  readinessCacheMs: 2_000,
  readinessTimeoutMs: 5_000,
  sourcesMs: 2_000,
  api: { connectMs: 5_000, headersMs: 130_000, idleMs: 90_000, bodyBytes: 1024 * 1024, connections: null },
};
