import { once as occurs } from 'node:events';
import type { ApiLimits } from '../../config/schema.js';
import { ask } from '../apps/operator/ask.js';
import type { DocumentFile } from '../documents/extract.js';
import { DocumentReader } from '../documents/reader.js';
import { DEMO_COURSE, DEMO_QUESTION, demoDocuments } from '../embedded/demo.js';
import { Embedded } from '../embedded/embedded.js';
import type { Notice } from '../embedded/log.js';
import { findModel, type ModelServerOptions } from '../embedded/model-server.js';
import { MATERIAL } from '../embedded/settings.js';
import { smokeEmbedded } from '../embedded/smoke.js';
import { type Problem, RagdockError, throwProblems } from '../errors/problem.js';
import { collectDocuments } from '../operator/documents.js';
import { ingest, type SourceDocument } from '../rag/ingest/ingest.js';
import { describeFailure } from '../smoke/text.js';
import type { Io } from './io.js';
import { type Brought, UpScreen } from './up-screen.js';

/** How long running answers may go on after Ctrl-C, in milliseconds. */
const GRACE_MS = 2000;

export interface UpRequest {
  /** Ends after the smoke tests and one question. */
  readonly once: boolean;
  readonly port: number;
  /** Absolute path. */
  readonly dataFolder: string;
  /** Documents of the user, beside the demo course. */
  readonly documents: { readonly paths: readonly string[]; readonly course: string } | undefined;
  readonly limits: ApiLimits;
  /** @default - answers quote the material */
  readonly modelServer: ModelServerOptions | undefined;
}

/** A course and its documents, read when they are ingested. */
interface Material {
  readonly course: string;
  readonly documents: readonly (SourceDocument | DocumentFile)[];
}

/**
 * Runs the embedded default: opens what is kept, brings in the documents, checks itself, says where it is, and stays
 * until it is interrupted. Whatever ends it, what was acknowledged is kept.
 *
 * @throws RagdockError for what keeps it from starting; with `once` SMOKE_FAILED, or API_REFUSED without an answer
 */
export async function up(request: UpRequest, io: Io): Promise<void> {
  const screen = new UpScreen(io, performance.now());
  // All that can be refused without opening anything is looked at first.
  const material = materialOf(request, io.cwd);
  const modelServer = request.modelServer && (await findModel(request.modelServer, io.signal));
  const { port, dataFolder, limits } = request;
  const courses = material.map(({ course }) => course);
  const onNotice = ({ text }: Notice) => screen.notice(text);
  const embedded = await Embedded.start({ dataFolder, port, courses, limits, modelServer, onNotice });
  try {
    screen.begin(embedded.folder, modelServer);
    await run(embedded, request, material, screen, io.signal);
  } finally {
    await stop(embedded, screen);
  }
}

async function run(
  embedded: Embedded,
  { once, limits }: UpRequest,
  material: readonly Material[],
  screen: UpScreen,
  signal: AbortSignal,
): Promise<void> {
  const problems: Problem[] = [];
  for (const { course, documents } of material) {
    screen.course(course, await bringIn(documents, course, embedded, signal, (problem) => problems.push(problem)));
  }
  for (const { file, line, message } of problems) {
    screen.notice(`not ingested: ${line === undefined ? file : `${file}:${line}`}: ${message}`);
  }
  screen.history(await embedded.history.count());
  const [{ course } = { course: DEMO_COURSE }] = material;
  const report = await smokeEmbedded(embedded, {
    course,
    answerSeconds: limits.totalSeconds,
    signal,
    // What is given up because of Ctrl-C has not failed.
    onCheck: (result) => {
      if (!signal.aborted) screen.check(result);
    },
  });
  signal.throwIfAborted();
  screen.report(report);
  // Asked again at every start, it would fill the history.
  if (once || embedded.folder.isNew) await showAnswer(embedded.url, screen, once, signal);
  if (once) throwProblems(problems);
  if (once && !report.ok) throw new RagdockError({ code: 'SMOKE_FAILED', message: describeFailure(report) });
  if (once) return;
  screen.ready(embedded.url, course);
  await interrupted(signal);
  screen.stopping();
}

function materialOf({ documents }: UpRequest, cwd: string): readonly Material[] {
  const demo = { course: DEMO_COURSE, documents: demoDocuments() };
  if (!documents) return [demo];
  const { paths, course } = documents;
  return [{ course, documents: collectDocuments(paths, cwd) }, demo];
}

/** Ingests the documents of a course. One that cannot be taken does not stop the others. */
async function bringIn(
  documents: Material['documents'],
  course: string,
  embedded: Embedded,
  signal: AbortSignal,
  onProblem: (problem: Problem) => void,
): Promise<Brought> {
  const brought = { documents: 0, passages: 0 };
  const store = embedded.passages.store(MATERIAL);
  const told = new Set<string | undefined>();
  const tell = (problem: Problem) => {
    told.add(problem.file);
    onProblem(problem);
  };
  for await (const { status, chunks, path, error, removed } of ingest(read(documents, signal, tell), store, course)) {
    signal.throwIfAborted();
    if (status === 'failed') {
      // That there is no text was told when the file was read.
      if (removed !== undefined && told.has(path)) continue;
      onProblem({ code: 'INGEST_FAILED', file: path, message: error ?? 'no reason was given' });
    } else {
      brought.documents += 1;
      brought.passages += chunks;
    }
  }
  return brought;
}

async function* read(
  documents: Material['documents'],
  signal: AbortSignal,
  onProblem: (problem: Problem) => void,
): AsyncGenerator<SourceDocument> {
  const reader = new DocumentReader({ signal });
  try {
    for (const one of documents) {
      if (!('file' in one)) {
        yield one;
        continue;
      }
      const { document, problems } = await reader.extract(one);
      problems.forEach(onProblem);
      if (document) yield document;
    }
  } finally {
    await reader.close();
  }
}

/** Asks the question that the demo course is shown with. */
async function showAnswer(url: string, screen: UpScreen, mustAnswer: boolean, signal: AbortSignal): Promise<void> {
  screen.question(DEMO_QUESTION);
  const question = { message: DEMO_QUESTION, user_name: 'demo', course: DEMO_COURSE };
  for await (const event of ask({ url, key: 'none' }, question, signal)) {
    signal.throwIfAborted();
    screen.answer(event);
    if (event.event !== 'error') continue;
    const { code, detail } = event;
    if (mustAnswer) throw new RagdockError({ code: 'API_REFUSED', message: `${code}: ${detail}` });
    screen.notice(`${code}: ${detail}`);
  }
}

/** What goes wrong now is told although the command ends as it was asked to. */
async function stop(embedded: Embedded, screen: UpScreen): Promise<void> {
  try {
    await embedded.stop(GRACE_MS);
  } catch (error) {
    screen.notice(`it did not end cleanly: ${(error as Error).message}`);
    throw error;
  }
}

async function interrupted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await occurs(signal, 'abort');
}
