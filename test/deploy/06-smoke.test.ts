import { afterEach, expect, test } from 'vitest';
import { allHealthy, containerOf, docker } from './support/engine.js';
import { run } from './support/project.js';

interface Check {
  readonly service: string;
  readonly check: string;
  readonly ok: boolean;
}

/** Run the smoke tests and give back their verdict and the failed checks. */
async function smoke(): Promise<{
  readonly code: number | null;
  readonly failed: readonly Check[];
  readonly text: string;
}> {
  const { code, stdout, stderr } = await run('npx', ['ragdock', 'smoke', 'dev', '--timeout', '60', '--json', '-']);
  const report = JSON.parse(stdout) as { readonly checks: readonly Check[] };
  return { code, failed: report.checks.filter((check) => !check.ok), text: stdout + stderr };
}

afterEach(async () => {
  await allHealthy();
});

test('smoke is green on a stack that answers', async () => {
  const { code, failed, text } = await smoke();

  expect(failed, text).toEqual([]);
  expect(code).toBe(0);
});

test('smoke is red while Qdrant is stopped, and names it first', async () => {
  await containerOf('qdrant').stop();
  try {
    const { code, failed } = await smoke();
    expect(code).toBe(1);
    expect(failed[0]?.service).toBe('qdrant');
  } finally {
    await containerOf('qdrant').start();
  }
});

test('smoke is red while the API holds a wrong key for Qdrant', async () => {
  const restore = await overwriteSecret('dev-rag-api-secrets', 'qdrant-api-key.v1', 'a-wrong-key-of-some-length');
  try {
    await containerOf('rag-api').restart();
    const { code, failed } = await smoke();
    expect(code).toBe(1);
    expect(failed.map(({ service }) => service)).toContain('rag-api');
  } finally {
    await restore();
    await containerOf('rag-api').restart();
  }
});

test('smoke is red while the model answers 200 and no token', async () => {
  const image = (await containerOf('rag-api').inspect()).Image;
  const network = 'dev-rag-api--llm-main';
  await containerOf('llm-main').stop();
  const impostor = await docker.createContainer({
    name: 'dev-llm-main-impostor',
    Image: image,
    Entrypoint: ['node', '-e', ANSWERS_NOTHING],
    HostConfig: { NetworkMode: network },
    NetworkingConfig: { EndpointsConfig: { [network]: { Aliases: ['dev-llm-main'] } } },
  });
  try {
    await impostor.start();
    const { code, failed } = await smoke();
    expect(code).toBe(1);
    expect(failed.map(({ service }) => service)).toContain('llm-main');
  } finally {
    await impostor.remove({ force: true });
    await containerOf('llm-main').start();
  }
});

/** A server that lists the model, and streams an answer without a token. */
const ANSWERS_NOTHING = `
require('http').createServer((request, response) => {
  request.resume();
  if (request.url === '/v1/models') {
    response.setHeader('content-type', 'application/json');
    return response.end(JSON.stringify({ object: 'list', data: [{ id: 'SmolLM2-135M-Instruct', object: 'model' }] }));
  }
  response.setHeader('content-type', 'text/event-stream');
  response.end('data: [DONE]\\n\\n');
}).listen(8080);
`;

/** Put another value into a secrets volume; the function that comes back restores the true one. */
async function overwriteSecret(volume: string, file: string, value: string): Promise<() => Promise<void>> {
  const image = (await containerOf('rag-api').inspect()).Image;
  const inVolume = async (script: string): Promise<void> => {
    const container = await docker.createContainer({
      Image: image,
      User: '0:0',
      Entrypoint: ['sh', '-euc', script],
      HostConfig: { NetworkMode: 'none', Mounts: [{ Type: 'volume', Source: volume, Target: '/secrets' }] },
    });
    try {
      await container.start();
      const { StatusCode } = await container.wait();
      if (StatusCode !== 0) throw new Error(`${script} ended with ${StatusCode}`);
    } finally {
      await container.remove({ force: true });
    }
  };
  await inVolume(`cp -p /secrets/${file} /secrets/.kept; printf %s '${value}' > /secrets/${file}`);
  return () => inVolume(`mv /secrets/.kept /secrets/${file}`);
}
