import type { AskEvent } from '../../operator/events.js';
import { AnswerPrinter } from '../answer.js';
import type { RagdockCommand } from '../command.js';
import type { Io } from '../io.js';

interface Options {
  readonly env: string;
  readonly course?: string;
  readonly user: string;
  readonly json?: true;
}

/** `ragdock ask`: one question of a running stack, answered as it comes, then its sources. */
export function registerAsk(program: RagdockCommand, io: Io): void {
  program
    .command('ask')
    .summary('ask one question, and see its answer come')
    .description('ask a running stack one question; the answer goes to stdout, its sources to stderr')
    .argument('<question>', 'the question')
    .requiredOption('--env <env>', 'name or file of the environment')
    .option('--course <name>', 'course to ask about (default: the first one of the environment)')
    .option('--user <name>', 'name under which the exchange is kept', 'operator')
    .option('--json', 'one JSON object for each event on stdout')
    .example('ragdock ask "How do I enrol?" --env dev', 'about the first course of dev')
    .example('ragdock ask "How do I enrol?" --env dev --course demo --json', 'the answer and its sources as data')
    .action((question: string, options: Options) => ask(question, options, io));
}

async function ask(message: string, options: Options, io: Io): Promise<void> {
  const { describeStack } = await import('../../operator/stack.js');
  const { askQuestion } = await import('../../operator/ask.js');
  const { requireKnown } = await import('../../operator/known.js');
  const { withEngine } = await import('../../operator/docker.js');

  const stack = describeStack(options.env, io.cwd);
  const { name, settings } = stack.environment;
  const { courses } = settings.services.api;
  const course = options.course ?? courses[0] ?? '';
  requireKnown('course', course, courses, name);

  const printer = new AnswerPrinter(io);
  const onEvent = (event: AskEvent) => {
    if (options.json) io.stdout.write(`${JSON.stringify(event)}\n`);
    else printer.print(event);
  };
  try {
    await withEngine(settings.host.docker, { certPath: io.env.DOCKER_CERT_PATH }, (docker) =>
      askQuestion(docker, stack, { message, course, user: options.user, signal: io.signal, onEvent }),
    );
  } finally {
    printer.end();
  }
}
