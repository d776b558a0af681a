import { printable } from '../operator/printable.js';
import type { Drift, JobStatus, ServiceStatus, StatusReport } from './report.js';

/** Colours a text, or leaves it as it is. */
export type Paint = (style: 'red' | 'green' | 'yellow' | 'bold' | 'dim', text: string) => string;

type Style = Parameters<Paint>[0];

/** A cell, and its colour where it has one. */
type Cell = string | { readonly text: string; readonly style: Style };

/** A row, and what is said of it in lines of their own. */
interface Row {
  readonly cells: readonly Cell[];
  readonly remarks: readonly Cell[];
}

const MIB = 1024 * 1024;

/** States of what is not right and may become so by itself. */
const HOPEFUL: ReadonlySet<string> = new Set(['starting', 'restarting', 'running']);

/** The report as a table for people; what is wrong stands below its line. */
export function formatStatus(report: StatusReport, paint: Paint): string {
  const { environment, engine, services, jobs, at } = report;
  const now = Date.parse(at);
  const good = services.filter(({ ok }) => ok).length;
  const all = good === services.length;
  return [
    `${paint('bold', environment)} on ${engine}: ${paint(all ? 'green' : 'red', `${good} of ${services.length} services are well`)}`,
    '',
    ...table(
      ['SERVICE', 'STATE', 'SINCE', 'RESTARTS', 'MEMORY', 'IMAGE'],
      services.map((service) => serviceRow(service, now)),
      paint,
    ),
    '',
    ...(jobs.length === 0
      ? []
      : [
          ...table(
            ['JOB', 'STATE', 'ENDED', 'TOOK', 'IMAGE'],
            jobs.map((job) => jobRow(job, now)),
            paint,
          ),
          '',
        ]),
    ...facts(report, paint),
    '',
  ].join('\n');
}

/** What is not as it should be, in one sentence. */
export function describeUnhealthy({ services, jobs }: StatusReport): string {
  return [...services, ...jobs]
    .filter(({ ok }) => !ok)
    .map(({ name, state, why }) => `${name} is ${state}${why === undefined || why === state ? '' : ` (${why})`}`)
    .join('; ');
}

/** How long ago, or how long: the largest unit that says enough. */
export function formatDuration(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 2 * 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

function serviceRow({ name, state, ok, why, since, restarts, memory, image, drift }: ServiceStatus, now: number): Row {
  return {
    cells: [
      name,
      stateCell(state, ok),
      since === undefined ? '-' : formatDuration(now - Date.parse(since)),
      restarts === undefined ? '-' : String(restarts),
      memory ? formatMemory(memory) : '-',
      image?.reference ?? '-',
    ],
    remarks: remarks(why, ok, state, drift),
  };
}

function jobRow({ name, state, ok, why, endedAt, seconds, image, drift }: JobStatus, now: number): Row {
  return {
    cells: [
      name,
      stateCell(state, ok),
      endedAt === undefined ? '-' : `${formatDuration(now - Date.parse(endedAt))} ago`,
      seconds === undefined ? '-' : formatDuration(seconds * 1000),
      image?.reference ?? '-',
    ],
    remarks: remarks(why, ok, state, drift),
  };
}

function stateCell(state: string, ok: boolean): Cell {
  if (ok) return state === 'removed' ? state : { text: state, style: 'green' };
  return { text: state, style: HOPEFUL.has(state) ? 'yellow' : 'red' };
}

function remarks(why: string | undefined, ok: boolean, state: string, drift: readonly Drift[]): readonly Cell[] {
  return [
    ...(why === undefined || why === state ? [] : [{ text: why, style: ok ? 'dim' : 'red' } as const]),
    ...(drift.length === 0
      ? []
      : [{ text: `differs from its files: ${drift.map(formatDrift).join('; ')}`, style: 'yellow' } as const]),
  ];
}

function formatDrift({ what, runs, wanted }: Drift): string {
  return runs === undefined || wanted === undefined ? what : `${what} (${runs || 'none'} → ${wanted || 'none'})`;
}

function formatMemory({ limitBytes, usedBytes }: NonNullable<ServiceStatus['memory']>): string {
  const limit = limitBytes === 0 ? 'no limit' : `${Math.round(limitBytes / MIB)} MiB`;
  return usedBytes === undefined ? limit : `${Math.round(usedBytes / MIB)} of ${limit}`;
}

function facts(report: StatusReport, paint: Paint): readonly string[] {
  const { services, external, volumes, networks, leftOver, drifted, appsCompared, environment } = report;
  const urls = services.flatMap(({ name, urls }) => urls.map(({ endpoint, url }) => ({ name, endpoint, url })));
  const data = volumes.filter(({ kind }) => kind === 'data');
  const line = (title: string, text: string) => `${title.padEnd(9)}  ${printable(text)}`;
  const missing = (all: readonly { readonly name: string; readonly present: boolean }[]) => {
    const names = all.filter(({ present }) => !present).map(({ name }) => name);
    return names.length === 0 ? '' : `; missing: ${names.join(', ')}`;
  };
  return [
    ...urls.map(({ name, endpoint, url }, index) =>
      line(index === 0 ? 'URLs' : '', `${url}  ${name}${endpoint === 'http' ? '' : ` (${endpoint})`}`),
    ),
    ...external.map(({ name, url }, index) => line(index === 0 ? 'External' : '', `${url}  ${name}`)),
    line('Data', `${data.map(({ name }) => name).join(', ') || 'none'}${missing(data)}`),
    line('Files', `${volumes.length - data.length} volumes${missing(volumes.filter(({ kind }) => kind === 'files'))}`),
    line('Networks', `${networks.length}${missing(networks)}`),
    ...(leftOver.length === 0
      ? []
      : [
          paint('yellow', line('Left over', leftOver.map((it) => `${it.container} (${it.state})`).join(', '))),
          line('', `remove with: docker rm -f ${leftOver.map(({ container }) => container).join(' ')}`),
        ]),
    ...(appsCompared
      ? []
      : ['', 'The image of the bundled apps was not compared: they are not built here (npm run build).']),
    ...(drifted ? ['', `A deploy would change something: npx cdktf diff ${environment} --skip-provider-lock`] : []),
  ];
}

function table(head: readonly string[], rows: readonly Row[], paint: Paint): readonly string[] {
  const texts = [head, ...rows.map(({ cells }) => cells.map(textOf))];
  const widths = head.map((_, column) => Math.max(...texts.map((row) => row[column]?.length ?? 0)));
  const lineOf = (cells: readonly Cell[]) =>
    cells
      .map((cell, column) => {
        const last = column === cells.length - 1;
        const text = last ? textOf(cell) : textOf(cell).padEnd(widths[column] ?? 0);
        return typeof cell === 'string' ? text : paint(cell.style, text);
      })
      .join('  ');
  const indent = ' '.repeat((widths[0] ?? 0) + 2);
  return [
    paint('dim', lineOf(head)),
    ...rows.flatMap(({ cells, remarks }) => [
      lineOf(cells),
      ...remarks.map((remark) =>
        typeof remark === 'string' ? indent + textOf(remark) : indent + paint(remark.style, textOf(remark)),
      ),
    ]),
  ];
}

/** What an engine says is others' text. */
const textOf = (cell: Cell): string => printable(typeof cell === 'string' ? cell : cell.text).replaceAll('\n', ' ');
