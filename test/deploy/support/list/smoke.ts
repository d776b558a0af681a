import { afterEach, describe, expect, test } from 'vitest';
import type { Deployment } from '../deployment.js';
import { overwriteSecret } from '../overwrite-secret.js';
import type { Project } from '../project.js';

interface Check {
  readonly service: string;
  readonly check: string;
  readonly ok: boolean;
}

/** Smoke is green on a stack that answers. */
export function smokeIsGreen({ name, project }: Deployment): void {
  describe(`smoke of ${name}`, () => {
    test('is green on a stack that answers', async () => {
      // A machine that has other work answers slowly.
      const { code, failed, text } = await smoke(project, 300);

      expect(failed, text).toEqual([]);
      expect(code).toBe(0);
    });
  });
}

/** Smoke is red, and names the culprit, while a part of the stack is broken. */
export function smokeIsRed({ name, description: { llm }, project, engine }: Deployment): void {
  describe(`smoke of ${name}`, () => {
    afterEach(async () => {
      await engine.allHealthy();
    });

    test('is red while Qdrant is stopped, and names it first', async () => {
      await engine.containerOf('qdrant').stop();
      try {
        const { code, failed } = await smoke(project);
        expect(code).toBe(1);
        expect(failed[0]?.service).toBe('qdrant');
      } finally {
        await engine.containerOf('qdrant').start();
      }
    });

    test('is red while the API holds a wrong key for Qdrant', async () => {
      const restore = await overwriteSecret(engine, 'qdrant-api-key.v1', 'a-wrong-key-of-some-length');
      try {
        await engine.containerOf('rag-api').restart();
        const { code, failed } = await smoke(project);
        expect(code).toBe(1);
        expect(failed.map(({ service }) => service)).toContain('rag-api');
      } finally {
        await restore();
        await engine.containerOf('rag-api').restart();
      }
    });

    test('is red while the model answers 200 and no token', async () => {
      const image = (await engine.containerOf('rag-api').inspect()).Image;
      const network = `${name}-rag-api--${llm.service}`;
      await engine.containerOf(llm.service).stop();
      const impostor = await engine.docker.createContainer({
        name: `${name}-${llm.service}-impostor`,
        Image: image,
        Entrypoint: ['node', '-e', answersNothing(llm)],
        HostConfig: { NetworkMode: network },
        NetworkingConfig: { EndpointsConfig: { [network]: { Aliases: [engine.nameOf(llm.service)] } } },
      });
      try {
        await impostor.start();
        const { code, failed } = await smoke(project);
        expect(code).toBe(1);
        expect(failed.map(({ service }) => service)).toContain(llm.service);
      } finally {
        await impostor.remove({ force: true });
        await engine.containerOf(llm.service).start();
      }
    });
  });
}

/** Run the smoke tests and give back their verdict and the failed checks. */
async function smoke(
  project: Project,
  seconds = 60,
): Promise<{
  readonly code: number | null;
  readonly failed: readonly Check[];
  readonly text: string;
}> {
  const { code, stdout, stderr } = await project.tryRagdock(
    'smoke',
    project.environment,
    '--timeout',
    String(seconds),
    '--json',
    '-',
  );
  const report = JSON.parse(stdout) as { readonly checks: readonly Check[] };
  return { code, failed: report.checks.filter((check) => !check.ok), text: stdout + stderr };
}

/** A server that lists the model, and streams an answer without a token. */
const answersNothing = ({ port, model }: Deployment['description']['llm']): string => `
require('http').createServer((request, response) => {
  request.resume();
  if (request.url === '/v1/models') {
    response.setHeader('content-type', 'application/json');
    return response.end(JSON.stringify({ object: 'list', data: [{ id: ${JSON.stringify(model)}, object: 'model' }] }));
  }
  response.setHeader('content-type', 'text/event-stream');
  response.end('data: [DONE]\\n\\n');
}).listen(${port});
`;
