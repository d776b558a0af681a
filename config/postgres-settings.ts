import { z } from 'zod';
import { text } from './fields.js';

const amount = text(/^[1-9]\d{0,8}(kB|MB|GB)$/, 'an amount like 256MB');

/** Settings of postgresql.conf under PostgreSQL's own names; the defaults are the services guide's. */
export const postgresSettings = z
  .strictObject({
    max_connections: z.int().min(10).max(10_000).default(100).describe('Most sessions at once'),
    shared_buffers: amount.default('256MB').describe('Cache of pages; at most half of the memory limit'),
    work_mem: amount.default('16MB').describe('Memory of one sort or hash; a query may use several'),
    maintenance_work_mem: amount.default('128MB').describe('Memory of VACUUM and CREATE INDEX'),
    wal_buffers: amount.default('16MB').describe('Write-ahead log kept in memory before it is written'),
    min_wal_size: amount.default('1GB').describe('Write-ahead log that is kept for reuse'),
    max_wal_size: amount.default('4GB').describe('Write-ahead log that triggers a checkpoint'),
    effective_cache_size: amount.optional().describe('What the planner takes for cached, here and in the kernel'),
    checkpoint_completion_target: z
      .number()
      .gt(0)
      .max(1)
      .optional()
      .describe('Share of the interval a checkpoint takes'),
    random_page_cost: z.number().gt(0).max(100).optional().describe('Cost of a random page; 1.1 suits SSDs'),
    effective_io_concurrency: z.int().min(0).max(1000).optional().describe('Reads that the disk serves at once'),
    max_worker_processes: z.int().min(1).max(1024).optional().describe('Background processes of the server'),
    max_parallel_workers: z.int().min(0).max(1024).optional().describe('Of these, for parallel queries'),
    max_parallel_workers_per_gather: z.int().min(0).max(1024).optional().describe('Of these, for one query'),
    statement_timeout: text(/^\d{1,9}(ms|s|min|h)$/, 'a time like 500ms, 30s or 5min')
      .optional()
      .describe('Longest statement; 0s: no limit'),
    log_min_duration_statement: text(/^(-1|\d{1,9}(ms|s|min))$/, 'a time like 500ms or 2s, or -1 for never')
      .optional()
      .describe('Statements that take longer are logged'),
  })
  .describe('Settings of postgresql.conf, under PostgreSQL’s own names');
