import { type Comment, parseComment } from './comment.js';
import { type Declaration, extractApi } from './extract.js';

/** A page of the reference. An export is on the first whose sources it comes from. */
interface Area {
  readonly page: string;
  readonly title: string;
  readonly about: string;
  readonly sources: readonly string[];
}

const AREAS: readonly Area[] = [
  {
    page: 'stacks.md',
    title: 'Stacks',
    about: 'Terraform stacks, and what an app makes them from.',
    sources: ['stacks/', 'src/synth', 'src/apps/bundle'],
  },
  {
    page: 'environments.md',
    title: 'Environments and lock files',
    about: 'What an environment’s files say.',
    sources: ['config/'],
  },
  {
    page: 'services.md',
    title: 'Services and jobs',
    about: 'One construct for each thing that runs.',
    sources: ['constructs/services/', 'constructs/images', 'dashboards/', 'src/apps/'],
  },
  {
    page: 'model.md',
    title: 'Model',
    about: 'What services and jobs are made of, without naming an engine.',
    sources: ['constructs/model/'],
  },
  {
    page: 'docker.md',
    title: 'Docker engine',
    about: 'What makes resources of the model, and the way past it.',
    sources: ['constructs/engines/docker/'],
  },
  { page: 'errors.md', title: 'Errors', about: 'How failures are reported.', sources: ['src/errors/'] },
];

/** Longer ones are tables of settings, which have pages of their own. */
const LONGEST_SIGNATURE = 600;

/** The pages of the reference by their names, made from the doc comments of everything that the package exports. */
export const apiPages: readonly { readonly page: string; readonly content: () => string }[] = [
  { page: 'README.md', content: () => `${overview(extractApi().exports)}\n` },
  ...AREAS.map((area) => ({ page: area.page, content: () => `${areaPage(area, extractApi().exports)}\n` })),
];

function overview(exports: readonly Declaration[]): string {
  const parts = AREAS.map((area) => {
    const lines = declarationsOf(area, exports).map((declaration) => {
      const { text } = parseComment(declaration.docComment);
      return `- [\`${declaration.name}\`](${area.page}#${declaration.name?.toLowerCase()}): ${firstSentence(text)}`;
    });
    return `## [${area.title}](${area.page})\n\n${area.about}\n\n${lines.join('\n')}`;
  });
  const head = '# Reference\n\nEverything that `ragdock` exports. [How to use it](../library.md) comes first.';
  return [head, ...parts].join('\n\n');
}

function areaPage(area: Area, exports: readonly Declaration[]): string {
  const head = `# ${area.title}\n\n${area.about} All properties are read-only. [All of the reference](README.md).`;
  return [head, ...declarationsOf(area, exports).map(section)].join('\n\n');
}

function declarationsOf(area: Area, exports: readonly Declaration[]): readonly Declaration[] {
  // A schema has the name of its type, which says more.
  const types = new Set(exports.filter(({ kind }) => kind === 'TypeAlias').map(({ name }) => name));
  return exports
    .filter((declaration) => areaOf(declaration) === area)
    .filter(({ kind, name }) => kind !== 'Variable' || !types.has(name));
}

function areaOf({ name, fileUrlPath = '' }: Declaration): Area {
  const area = AREAS.find(({ sources }) => sources.some((source) => fileUrlPath.startsWith(source)));
  if (!area) throw new Error(`no page of the reference takes ${name} of ${fileUrlPath}`);
  return area;
}

function section(declaration: Declaration): string {
  const comment = parseComment(declaration.docComment);
  const members = (declaration.members ?? []).map(member);
  const parts = [
    `## ${declaration.name}`,
    `\`\`\`typescript\n${signature(declaration)}\n\`\`\``,
    comment.text,
    details(comment)
      .map((line) => `- ${line}`)
      .join('\n'),
    members.join('\n'),
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

/** One line: what it is, and what it means. */
function member(declaration: Declaration): string {
  const comment = parseComment(declaration.docComment);
  const code = textOf(declaration)
    .replace(/^(static )?readonly /, '$1')
    .replace(/\breadonly (?=\w+\??:)/g, '')
    .replace(/;$/, '')
    .replace(/\s+/g, ' ')
    .replace(/\( /g, '(');
  const words = [comment.text.replace(/\s+/g, ' '), ...details(comment)].filter((part) => part !== '');
  return [`- **\`${code}\`**`, ...words.map((text) => (/[.!?:]$/.test(text) ? text : `${text}.`))].join(' ');
}

function details({ params, returns, throws, defaultsTo }: Comment): string[] {
  return [
    ...params.map(({ name, text }) => `\`${name}\`: ${text}`),
    ...(returns === undefined ? [] : [`Gives ${returns}`]),
    ...throws.map((text) => `Throws ${text}`),
    ...(defaultsTo === undefined ? [] : [`*Default: ${defaultsTo}*`]),
  ];
}

function signature(declaration: Declaration): string {
  const text = textOf(declaration)
    .replace(/^export (declare )?/, '')
    .trim();
  return text.length > LONGEST_SIGNATURE
    ? `${declaration.kind === 'Variable' ? 'const ' : ''}${declaration.name}: …`
    : text;
}

const textOf = ({ excerptTokens }: Declaration): string => excerptTokens.map(({ text }) => text).join('');

function firstSentence(text: string): string {
  const [sentence = ''] = text.replace(/\s+/g, ' ').split(/(?<=\.) (?=[A-Z`])/);
  return sentence;
}
