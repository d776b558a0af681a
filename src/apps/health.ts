// The health check of a container whose image has no curl: `node health.mjs URL` exits with 0 when it answers 200.
const TIMEOUT_MS = 3000;

const url = process.argv[2] ?? '';
try {
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS), redirect: 'error' });
  await response.body?.cancel();
  if (response.status !== 200) throw new Error(`status ${response.status}`);
} catch (error) {
  const { message, cause } = error as Error;
  process.stderr.write(`${url}: ${message}${cause instanceof Error ? ` (${cause.message})` : ''}\n`);
  process.exitCode = 1;
}
