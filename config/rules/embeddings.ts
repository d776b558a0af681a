import type { Path } from '../located.js';
import type { Finding, Rule } from '../rules.js';

const EMBEDDINGS: Path = ['services', 'embeddings'];

/** Each text of a request counts, so a full request would be refused for ever. */
const batchIsTaken: Rule = ({ settings: { services } }) => {
  const { maxClientBatchSize, maxConcurrentRequests } = services.embeddings;
  if (maxClientBatchSize <= maxConcurrentRequests) return [];
  return [
    {
      path: [...EMBEDDINGS, 'maxClientBatchSize'],
      message: `a request of ${maxClientBatchSize} texts would always be refused: ${maxConcurrentRequests} are taken at once`,
      remedy: 'Lower it, or raise maxConcurrentRequests.',
      restsOn: [[...EMBEDDINGS, 'maxConcurrentRequests']],
    },
  ];
};

const nothingIsDownloadedBeside: Rule = ({ settings: { services } }) => {
  const { model, volume } = services.embeddings;
  if (!model.onHost) return [];
  const given: readonly (readonly [keys: readonly string[], isGiven: boolean])[] = [
    [['volume'], volume !== undefined],
    [['model', 'token'], model.token],
    [['model', 'revision'], model.revision !== undefined],
  ];
  return given
    .filter(([, isGiven]) => isGiven)
    .map(([keys]) => ({
      path: [...EMBEDDINGS, ...keys],
      message: `with \`model.onHost\` nothing is downloaded, so ${keys.at(-1)} means nothing`,
      remedy: 'Remove one of the two.',
      restsOn: [[...EMBEDDINGS, 'model', 'onHost']],
    }));
};

const cardsDiffer: Rule = ({ settings: { services } }) =>
  (['embeddings', 'dcgmExporter'] as const).flatMap((name) => {
    const devices = services[name].gpus?.devices ?? [];
    return devices.flatMap((device, index): Finding[] =>
      devices.indexOf(device) === index
        ? []
        : [
            {
              path: ['services', name, 'gpus', 'devices', index],
              message: `the graphics card ${device} is named twice`,
              remedy: 'Name it once.',
            },
          ],
    );
  });

export const EMBEDDING_RULES: readonly Rule[] = [batchIsTaken, nothingIsDownloadedBeside, cardsDiffer];
