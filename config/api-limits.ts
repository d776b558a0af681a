/** A limit of the RAG API or the web bot: a whole number, from `least` to `most`, `usual` where none is given. */
export interface ApiLimit {
  readonly least: number;
  readonly most: number;
  readonly usual: number;
  readonly meaning: string;
}

/** What one question may cost. Environment files and `ragdock up` take the same limits under the same names. */
export const API_LIMITS = {
  messageCharacters: { least: 1, most: 100_000, usual: 4000, meaning: 'Longest question, in characters' },
  concurrentStreams: { least: 1, most: 10_000, usual: 8, meaning: 'Answers streamed at once; more get 503' },
  firstTokenSeconds: { least: 1, most: 3600, usual: 60, meaning: 'Longest wait for the first token' },
  idleSeconds: { least: 1, most: 3600, usual: 60, meaning: 'Longest silence inside a stream' },
  totalSeconds: { least: 1, most: 7200, usual: 300, meaning: 'Longest answer, from the question to its end' },
} as const satisfies Record<string, ApiLimit>;

/** What the clients of a deployed API may take of it; `ragdock up` has one client, and none of these. */
export const API_CLIENT_LIMITS = {
  questionsPerMinute: {
    least: 1,
    most: 100_000,
    usual: 60,
    meaning: 'Questions of one client address in a minute, accepted or not; more get 429',
  },
  bodyKiB: { least: 1, most: 1024, usual: 64, meaning: 'Largest body of a request, in KiB; a larger one gets 413' },
  requestSeconds: { least: 1, most: 300, usual: 15, meaning: 'Longest time to send a request; a slower one gets 408' },
  connections: { least: 10, most: 60_000, usual: 1000, meaning: 'TCP connections open at once; more are closed' },
  connectionsPerAddress: {
    least: 10,
    most: 60_000,
    usual: 200,
    meaning: 'TCP connections of one address; more are closed',
  },
} as const satisfies Record<string, ApiLimit>;

/** Answers streamed at once to one client of the API, whose defaults follow from `concurrentStreams`. */
export const API_SHARES = {
  streamsPerKey: {
    least: 1,
    most: 10_000,
    meaning:
      'Answers streamed at once to the holders of one key; more get 429. Default: three quarters of concurrentStreams',
  },
  streamsPerAddress: {
    least: 1,
    most: 10_000,
    meaning: 'Answers streamed at once to one client address; more get 429. Default: half of concurrentStreams',
  },
} as const satisfies Record<string, Omit<ApiLimit, 'usual'>>;

/** What clients may ask of exchanges that are kept; an environment that says nothing of them has the usual ones. */
export const API_RECORD_LIMITS = {
  recordsPerMinute: {
    least: 1,
    most: 100_000,
    usual: 600,
    meaning:
      'Requests of one client address in a minute for exchanges, history, feedback and erasure; more get 429. Default: 600',
  },
  commentCharacters: {
    least: 1,
    most: 10_000,
    usual: 1000,
    meaning: 'Longest comment of a feedback, in characters. Default: 1000',
  },
} as const satisfies Record<string, ApiLimit>;

/** How much may wait in the memory of the API while PostgreSQL cannot be reached. */
export const API_HISTORY_LIMITS = {
  waitingExchanges: {
    least: 1,
    most: 100_000,
    usual: 1000,
    meaning: 'Exchanges that may wait in memory while PostgreSQL cannot be reached; the oldest goes. Default: 1000',
  },
  waitingMiB: {
    least: 1,
    most: 1024,
    usual: 16,
    meaning: 'Memory that waiting exchanges may take, in MiB; the oldest goes. Default: 16',
  },
} as const satisfies Record<string, ApiLimit>;

/** What the readers of a deployed web bot may take of it. */
export const WEB_BOT_LIMITS = {
  socketsPerAddress: { least: 1, most: 10_000, usual: 50, meaning: 'Chats open at once from one client address' },
  questionsInARow: { least: 1, most: 1000, usual: 6, meaning: 'Questions that one chat may ask in a row' },
  secondsPerQuestion: { least: 1, most: 3600, usual: 5, meaning: 'Time after which it may ask one more, in seconds' },
  packetKiB: { least: 1, most: 1024, usual: 64, meaning: 'Largest packet of a chat, in KiB; a larger one ends it' },
  sessionSeconds: {
    least: 10,
    most: 86_400,
    usual: 600,
    meaning: 'Time for which a session token opens a chat, in seconds; an open one stays open',
  },
  requestSeconds: API_CLIENT_LIMITS.requestSeconds,
  connections: API_CLIENT_LIMITS.connections,
  connectionsPerAddress: API_CLIENT_LIMITS.connectionsPerAddress,
} as const satisfies Record<string, ApiLimit>;
