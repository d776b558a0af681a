import { describe, expect, test } from 'vitest';
import { estimateTokens } from '../../src/rag/tokens.js';

describe('estimateTokens', () => {
  // Counted by the tokenizer of SmolLM2, which was made for English and is the most wasteful one that dev serves.
  test.each([
    ['Векторная база данных хранит эмбеддинги и находит ближайшие к запросу фрагменты учебных материалов.', 75],
    ['Отчёт за 2024 год: прибыль 1 234 567,89 руб. (+12,5 %), см. приложение № 3.', 65],
    ['The RAG API streams its answer as plain text and saves the exchange before the body ends.', 19],
    ['const { rowCount } = await client.query(`SELECT 1 FROM pg_roles WHERE rolname = $1`, [role.name]);', 33],
    ['{"vectors":{"size":1024,"distance":"Cosine"},"sparse_vectors":{"bm25":{"modifier":"idf"}}}', 35],
    ['Ответ: 😀 👩‍💻 — да!', 20],
    ['向量数据库存储嵌入', 14],
  ])('is hardly below what a server counted, and not above twice that: %s', (text, counted) => {
    expect(estimateTokens(text)).toBeGreaterThanOrEqual(0.95 * counted);
    expect(estimateTokens(text)).toBeLessThanOrEqual(2 * counted);
  });

  test('is zero for nothing', () => {
    expect(estimateTokens('')).toBe(0);
  });
});
