// What the embedded default needs at least to answer anything, and to be able to check that it does.

/** Tokens of prompt and answer: half of them for the answer, the rest for instructions, the question and one passage. */
export const LEAST_CONTEXT_TOKENS = 2048;

/** Characters of a question; those of the smoke tests and of the demo are shorter. */
export const LEAST_MESSAGE_CHARACTERS = 100;
