import type { Calibration, Point } from '../../evaluation/calibration.js';
import type { JudgedQuestion, Searched } from '../../evaluation/judged.js';
import type { RagdockCommand } from '../command.js';
import type { Io } from '../io.js';
import { addMeasuringOptions, type MeasuringOptions, readSet, searchSet } from '../measuring.js';

interface Options extends MeasuringOptions {
  readonly json?: true;
}

/** What a gate can look at. */
const KINDS = ['similarity', 'support'] as const;
type Kind = (typeof KINDS)[number];

/** Below this AUROC a threshold refuses answers about as often as it prevents wrong ones. */
const LEAST_AUROC = 0.7;

/** Rates of false answers for which the curve is shown. */
const SHOWN = [0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1] as const;

/** `ragdock calibrate`: from when on what was found counts as about the question. */
export function registerCalibrate(program: RagdockCommand, io: Io): void {
  const command = program
    .command('calibrate')
    .summary('find when a question has no answer')
    .description(
      'find the values of services.api.gate with a judged set as `ragdock eval` takes it: what answers half of the questions is taken away, and it is measured which score tells the one half from the other',
    )
    .argument('<folder>', 'folder with the judged set');
  addMeasuringOptions(command)
    .option('--json', 'one JSON object on stdout')
    .example('ragdock calibrate questions/ --env dev', 'the values for a running stack')
    .action((dir: string, options: Options) => calibrateSet(dir, options, io));
}

async function calibrateSet(dir: string, options: Options, io: Io): Promise<void> {
  const { takeHalfAway } = await import('../../evaluation/removal.js');
  const { calibrate } = await import('../../evaluation/calibration.js');
  const folder = await readSet(dir, io);
  const { questions, ids } = folder;
  // What the corpus does not hold answers nothing from the beginning.
  const answered = questions.filter(({ judgements }) =>
    [...judgements].some(([id, grade]) => grade > 0 && ids.has(id)),
  );
  const removal = takeHalfAway(answered);
  await requireBothKinds(answered, removal.unanswerable, dir);
  const measuring = { folder: { ...folder, questions: answered }, without: removal.passages, forGate: true };
  const searched = await searchSet(measuring, options, io);
  const calibrations = kindsOf(searched).map((kind) => {
    const scored = answered.map(({ id }) => ({
      score: searched.found.get(id)?.[kind],
      answerable: !removal.unanswerable.has(id),
    }));
    return [kind, calibrate(scored)] as const;
  });
  const counts = { answerable: answered.length - removal.unanswerable.size, unanswerable: removal.unanswerable.size };
  if (options.json) io.stdout.write(`${JSON.stringify({ ...counts, ...Object.fromEntries(calibrations) })}\n`);
  else io.stdout.write(report(calibrations, counts, removal.passages.size));
}

/** Words alone where no vectors were compared; beside them otherwise, for when the embedding server is down. */
function kindsOf({ by }: Searched): readonly Kind[] {
  return by === 'words' ? ['support'] : KINDS;
}

async function requireBothKinds(
  questions: readonly JudgedQuestion[],
  unanswerable: ReadonlySet<string>,
  dir: string,
): Promise<void> {
  if (unanswerable.size > 0 && unanswerable.size < questions.length) return;
  const { RagdockError } = await import('../../errors/problem.js');
  throw new RagdockError({
    code: 'JUDGED_SET_INVALID',
    file: dir,
    message: `of ${questions.length} questions, ${unanswerable.size} have no answer when half of what answers is taken away`,
    remedy: 'Take questions that several passages answer, not all the same one.',
  });
}

function report(
  calibrations: readonly (readonly [Kind, Calibration])[],
  { answerable, unanswerable }: { readonly answerable: number; readonly unanswerable: number },
  removed: number,
): string {
  const head = `${answerable} questions with an answer, ${unanswerable} without, after ${removed} passages were taken away\n`;
  const useful = calibrations.filter(([, { auroc }]) => auroc >= LEAST_AUROC);
  const yaml = useful.map(([kind, { fivePercent }]) => `      ${kind}: ${fivePercent.threshold}\n`).join('');
  const parts = calibrations.map(([kind, calibration]) => describe(kind, calibration));
  if (useful.length === 0) return `${head}${parts.join('')}`;
  return `${head}${parts.join('')}\nFor 5 % false answers:\n\nservices:\n  api:\n    gate:\n${yaml}`;
}

function describe(kind: Kind, { auroc, curve, fivePercent, bestF1 }: Calibration): string {
  const points = SHOWN.map((rate) => curve.find(({ falseAnswers }) => falseAnswers <= rate)).filter(
    (point, index, all) => point !== undefined && all.indexOf(point) === index,
  ) as Point[];
  const rows = points
    .sort((a, b) => a.threshold - b.threshold)
    .map((point) =>
      row(String(point.threshold), percent(point.falseRefusals), percent(point.falseAnswers), point.f1.toFixed(3)),
    );
  const weak = auroc < LEAST_AUROC ? ', which hardly tells one from the other: leave this value out' : '';
  return [
    `\n${kind}: AUROC ${auroc.toFixed(3)}${weak}\n`,
    row('threshold', 'false refusals', 'false answers', 'F1'),
    ...rows,
    `5 % false answers at ${fivePercent.threshold}, with ${percent(fivePercent.falseRefusals)} false refusals\n`,
    `greatest F1 at ${bestF1.threshold}, with ${percent(bestF1.falseRefusals)} false refusals and ${percent(bestF1.falseAnswers)} false answers\n`,
  ].join('');
}

const row = (...[threshold = '', refusals = '', answers = '', f1 = '']: string[]): string =>
  `${threshold.padStart(10)}  ${refusals.padStart(14)}  ${answers.padStart(13)}  ${f1.padStart(5)}\n`;

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
