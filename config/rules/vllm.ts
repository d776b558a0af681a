import { vllmFlagProblems } from '../../constructs/services/vllm/flags.js';
import { cardsOf, type VllmSettings } from '../llm.js';
import type { Path } from '../located.js';
import type { Finding, Rule, RuleContext } from '../rules.js';
import { LOOPBACK } from './network.js';

/** A rule about one server of vLLM at a time. */
type VllmRule = (server: VllmSettings, path: Path) => readonly Finding[];

const flagsAreRight: VllmRule = ({ flags }, path) =>
  vllmFlagProblems(flags).map(({ flag, message, remedy }) => ({ path: [...path, 'flags', flag], message, remedy }));

const hostHasOneOfTwo: VllmRule = ({ model: { onHost } }, path) => {
  if (!onHost || (onHost.cache === undefined) !== (onHost.folder === undefined)) return [];
  return [
    {
      path: [...path, 'model', 'onHost'],
      message:
        onHost.cache === undefined ? 'it names no place of the host' : 'it names a cache and a folder, and one is read',
      remedy: 'Give `cache` for a cache of Hugging Face, or `folder` for the files of one model.',
      restsOn: [
        [...path, 'model', 'onHost', 'cache'],
        [...path, 'model', 'onHost', 'folder'],
      ],
    },
  ];
};

const nothingIsDownloadedBeside: VllmRule = ({ model, volume }, path) => {
  if (!model.onHost) return [];
  const given: readonly (readonly [keys: readonly string[], isGiven: boolean])[] = [
    [['volume'], volume !== undefined],
    [['model', 'token'], model.token],
    [['model', 'revision'], model.revision !== undefined && model.onHost.folder !== undefined],
  ];
  return given.flatMap(([keys, isGiven]) =>
    isGiven
      ? [
          {
            path: [...path, ...keys],
            message: `with \`model.onHost\` nothing is downloaded, so ${keys.at(-1)} means nothing`,
            remedy: 'Remove one of the two.',
            restsOn: [[...path, 'model', 'onHost']],
          },
        ]
      : [],
  );
};

const cardsAreEnough: VllmRule = (server, path) => {
  const { devices } = server.gpus;
  const needed = cardsOf(server);
  if (devices === undefined || devices.length >= needed) return [];
  return [
    {
      path: [...path, 'gpus', 'devices'],
      message: `it may use ${devices.length} of the ${needed} graphics cards that one copy of the model is spread over`,
      remedy: 'Name more cards, or lower tensorParallelSize.',
      restsOn: [[...path, 'tensorParallelSize']],
    },
  ];
};

const cardsDiffer: VllmRule = ({ gpus: { devices = [] } }, path) =>
  devices.flatMap((device, index) =>
    devices.indexOf(device) === index
      ? []
      : [
          {
            path: [...path, 'gpus', 'devices', index],
            message: `the graphics card ${device} is named twice`,
            remedy: 'Name it once.',
          },
        ],
  );

const sharedMemoryFits: VllmRule = ({ sharedMemory, memory }, path) => {
  if (sharedMemory === undefined || sharedMemory < memory) return [];
  return [
    {
      path: [...path, 'sharedMemory'],
      message: `${sharedMemory} MiB of shared memory are part of the memory limit of ${memory} MiB and leave nothing of it`,
      remedy: 'Lower it, or raise memory.',
      restsOn: [[...path, 'memory']],
    },
  ];
};

/** A key guards /v1 alone: /invocations answers a chat without one. (observed on vLLM 0.32.0) */
const staysOnTheHost: VllmRule = ({ publish }, path) => {
  if (!publish || publish.address === LOOPBACK) return [];
  return [
    {
      path: [...path, 'publish', 'address'],
      message: 'other machines could ask the model without its key: vLLM answers POST /invocations to anybody',
      remedy: `Use ${LOOPBACK}, and let other machines ask the RAG API or come through an SSH tunnel.`,
      restsOn: [[...path, 'engine']],
    },
  ];
};

const EACH: readonly VllmRule[] = [
  flagsAreRight,
  hostHasOneOfTwo,
  nothingIsDownloadedBeside,
  cardsAreEnough,
  cardsDiffer,
  sharedMemoryFits,
  staysOnTheHost,
];

const serversOf = ({ settings }: RuleContext): readonly (readonly [VllmSettings, Path])[] =>
  Object.entries(settings.services.llm).flatMap(([name, server]) =>
    server.engine === 'vllm' ? [[server, ['services', 'llm', name]] as const] : [],
  );

const eachServer: Rule = (context) =>
  serversOf(context).flatMap(([server, path]) => EACH.flatMap((rule) => rule(server, path)));

/** Every server takes its share of a card at the start, whatever it needs; the second would find too little. */
const sharesOfCardsFit: Rule = (context) => {
  const servers = serversOf(context);
  return servers.flatMap(([server, path], index): Finding[] => {
    const sharing = servers.slice(0, index).filter(([other]) => meet(other, server));
    const total = sharing.reduce((sum, [other]) => sum + other.gpuMemoryUtilization, server.gpuMemoryUtilization);
    // The sum of 0.1 and 0.2 is more than 0.3.
    if (sharing.length === 0 || total <= 1 + 1e-9) return [];
    const others = sharing.map(([, other]) => other.join('.'));
    return [
      {
        path: [...path, 'gpuMemoryUtilization'],
        message: `with ${others.join(' and ')} on the same graphics card it would take ${Number(total.toFixed(4))} of its memory`,
        remedy: 'Lower the shares to 1 together, or give each server cards of its own with `gpus.devices`.',
        restsOn: [path, ...sharing.map(([, other]) => other)].flatMap((at) => [
          [...at, 'gpus', 'devices'],
          [...at, 'gpuMemoryUtilization'],
        ]),
      },
    ];
  });
};

function meet(a: VllmSettings, b: VllmSettings): boolean {
  const { devices: one } = a.gpus;
  const { devices: other } = b.gpus;
  return one === undefined || other === undefined || one.some((device) => other.includes(device));
}

export const VLLM_RULES: readonly Rule[] = [eachServer, sharesOfCardsFit];
