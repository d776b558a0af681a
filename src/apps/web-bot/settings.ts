import { z } from 'zod';

/** What the web bot is told by its settings file; the API's address and key come by environment variables. */
export const WebBotSettings = z.strictObject({
  listen: z.strictObject({ port: z.int() }),
  /** Courses that the page offers. */
  courses: z.array(z.string()).min(1),
  messageCharacters: z.int(),
  /** How long the API lets an answer take: to its first token, without a token, and in all. */
  api: z.strictObject({
    firstTokenSeconds: z.int(),
    idleSeconds: z.int(),
    totalSeconds: z.int(),
    /** How many connections of one address the API takes. @default - any number */
    connections: z.int().optional(),
  }),
  /** What one reader may take; see `WebBotLimits`. */
  limits: z
    .strictObject({
      socketsPerAddress: z.int().default(50),
      questionsInARow: z.int().default(6),
      secondsPerQuestion: z.int().default(5),
      packetKiB: z.int().default(64),
      sessionSeconds: z.int().default(600),
      requestSeconds: z.int().default(15),
      connections: z.int().default(1000),
      connectionsPerAddress: z.int().default(200),
    })
    .prefault({}),
  /** Reverse proxies whose X-Forwarded-For is believed, as IPv4 ranges. */
  trustedProxies: z.array(z.cidrv4()).default([]),
  /** Names without port that a request's Host may have, beside those of loopback. @default - any name */
  hosts: z.array(z.string()).optional(),
});
/** The settings file of the web bot. */
export type WebBotSettings = z.output<typeof WebBotSettings>;

/** Variables of the container; see RAG_API_VARIABLES for the meaning of `…_FILE`. */
export const WEB_BOT_VARIABLES = {
  settings: 'RAGDOCK_SETTINGS',
  apiUrl: 'RAG_API_URL',
  apiKeyFile: 'RAG_API_KEY_FILE',
  sessionKeyFile: 'SESSION_KEY_FILE',
} as const;
