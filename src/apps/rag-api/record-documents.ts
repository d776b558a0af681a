import { z } from 'zod';
import { ExchangeDocument } from './exchange-document.js';

/** A page of a user's exchanges. */
export const HistoryDocument = z.strictObject({
  exchanges: z.array(ExchangeDocument).describe('The newest first'),
  next: z.string().nullable().describe('The `before` of the next page; null on the last one'),
});

/** What an erasure removed. */
export const ErasureDocument = z.strictObject({
  exchanges: z.int().min(0).describe('How many exchanges were there; 0 where nothing was left'),
});
