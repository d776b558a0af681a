import { stringify } from 'yaml';
import { printable } from '../operator/printable.js';
import { STARTER_MODEL } from './starter-model.js';

/** A value that a new environment file gives, and why. */
export interface Chosen<T> {
  readonly value: T;
  readonly because: string;
}

/** What a new environment file says. What is left out has the default of the schema. */
export interface FilePlan {
  readonly name: string;
  /** Path of the editor's schema as seen from the file. @default - none is at hand */
  readonly schema?: string | undefined;
  /** What was found, one comment line each. */
  readonly notes: readonly string[];
  readonly docker?: Chosen<string> | undefined;
  readonly networkPool?: Chosen<string> | undefined;
  readonly courses: readonly string[];
  /** Port of the chat page. */
  readonly port?: Chosen<number> | undefined;
  /** Memory limits by the name of their service, as the YAML writes them. */
  readonly memory: ReadonlyMap<string, string>;
  /** Why there is no Prometheus. @default - there is one */
  readonly unmonitored?: string | undefined;
}

/** The text of a new environment file, with the reason beside each value that is no default. */
export function environmentFile(plan: FilePlan): string {
  const { name, schema, notes, docker, networkPool, courses, port, unmonitored } = plan;
  const memory = (service: string): Lines => {
    const limit = plan.memory.get(service);
    return limit === undefined ? [] : [`memory: ${limit}`];
  };
  const disabled = unmonitored === undefined ? [] : [`enabled: false # ${unmonitored}`];
  const lines = [
    ...(schema === undefined ? [] : [`# yaml-language-server: $schema=${schema}`]),
    ...[...notes, `All settings with their defaults: ragdock validate ${name} --print`].map(comment),
    'schema: 1',
    ...block('host', [...chosen('docker', docker), ...chosen('networkPool', networkPool)]),
    ...block('services', [
      ...block('postgres', memory('postgres')),
      ...block('qdrant', memory('qdrant')),
      ...block('llm', [
        ...block('main', [
          'engine: llama.cpp # runs on processors alone',
          ...memory('llm'),
          ...block('model # small, to begin with; any model in GGUF format can take its place', [
            `name: ${STARTER_MODEL.name}`,
            `file: ${STARTER_MODEL.file}`,
            `url: ${STARTER_MODEL.url}`,
            `sha256: ${STARTER_MODEL.sha256}`,
          ]),
          ...block('sampling', ['maxTokens: 128 # so small a model repeats itself in longer answers']),
        ]),
      ]),
      ...block('api', [...memory('api'), `courses: ${list(courses)} # what a question may be about`]),
      ...block('webBot', [...memory('webBot'), ...block('publish', chosen('port', port))]),
      ...block('prometheus', [...disabled, ...memory('prometheus')]),
      ...block('nodeExporter', disabled),
    ]),
  ];
  return `${lines.join('\n')}\n`;
}

type Lines = readonly string[];

/** A mapping with its key, or nothing when it is empty. A comment stays behind the colon of its key. */
function block(key: string, lines: Lines): Lines {
  const [name, comment] = key.split(' # ');
  return lines.length === 0
    ? []
    : [`${name}:${comment === undefined ? '' : ` # ${comment}`}`, ...lines.map((line) => `  ${line}`)];
}

const chosen = (key: string, choice: Chosen<string | number> | undefined): Lines =>
  choice === undefined ? [] : [`${key}: ${stringify(choice.value).trimEnd()} ${comment(choice.because)}`];

/** Names of engines, networks and cards are those of others; none of them ends a comment. */
const comment = (text: string): string => `# ${printable(text).replace(/\s+/g, ' ')}`;

/** On one line, each item quoted where YAML would take it for something else. */
const list = (items: readonly string[]): string =>
  stringify(items, { collectionStyle: 'flow', flowCollectionPadding: false, lineWidth: 0 }).trimEnd();
