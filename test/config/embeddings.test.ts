import { expect, test } from 'vitest';
import { loadEnvironment } from '../../config/load.js';
import { brief, problemsOf } from './problems.js';
import { MINIMAL, project } from './project.js';

/** The least environment with more services; each is a mapping in one line. */
const withServices = (...lines: readonly string[]): string =>
  MINIMAL.replace('services:\n', `services:\n${lines.map((line) => `  ${line}\n`).join('')}`);
const told = (...lines: readonly string[]) =>
  problemsOf(withServices(...lines)).map((problem) => `${brief(problem).split(' ').at(-1)}: ${problem.message}`);

test('both are off unless they are wanted, and have defaults for all the rest', () => {
  const { services } = loadEnvironment('dev', { cwd: project({ 'dev.yaml': MINIMAL }) }).settings;
  expect(services.embeddings).toMatchObject({
    enabled: false,
    model: { name: 'deepvk/USER-bge-m3', token: false },
    dimension: 1024,
    port: 8080,
    maxClientBatchSize: 32,
  });
  expect(services.dcgmExporter).toMatchObject({ enabled: false, intervalMs: 15_000, profiling: false });
});

test('a batch that would always be refused', () => {
  expect(told('embeddings: {enabled: true, maxClientBatchSize: 64, maxConcurrentRequests: 32}')).toEqual([
    'services.embeddings.maxClientBatchSize: a request of 64 texts would always be refused: 32 are taken at once',
  ]);
});

test('settings of a download beside a folder of the host', () => {
  const model = 'model: {token: true, revision: abc, onHost: {folder: /srv/model, acknowledge: it is there already}}';
  expect(told(`embeddings: {enabled: true, volume: weights, ${model}}`)).toEqual([
    'services.embeddings.volume: with `model.onHost` nothing is downloaded, so volume means nothing',
    'services.embeddings.model.token: with `model.onHost` nothing is downloaded, so token means nothing',
    'services.embeddings.model.revision: with `model.onHost` nothing is downloaded, so revision means nothing',
  ]);
});

test('a card that is named twice', () => {
  expect(told('embeddings: {gpus: {devices: ["0", "0"]}}', 'dcgmExporter: {gpus: {devices: ["1", "1"]}}')).toEqual([
    'services.embeddings.gpus.devices.1: the graphics card 0 is named twice',
    'services.dcgmExporter.gpus.devices.1: the graphics card 1 is named twice',
  ]);
});

test('an exporter that nobody asks', () => {
  const prometheus = 'prometheus: {enabled: false}';
  expect(told('dcgmExporter: {enabled: true}', prometheus, 'nodeExporter: {enabled: false}')).toEqual([
    'services.dcgmExporter.enabled: the GPU exporter has nobody to report to: Prometheus is not enabled',
  ]);
});

test('an extra service is told where the embeddings are, and needs their key', () => {
  const extra = (connection: string) =>
    `${withServices('embeddings: {enabled: true}')}extraServices:\n  searcher: {image: "a/b:1", connections: {embeddings: ${connection}}}\n`;
  expect(problemsOf(extra('{url: EMBEDDINGS_URL, credential: EMBEDDINGS_KEY_FILE}'))).toEqual([]);
  expect(problemsOf(extra('{url: EMBEDDINGS_URL}')).map(({ message }) => message)).toEqual([
    'embeddings wants a credential, and the service is not told where it is',
  ]);
});
