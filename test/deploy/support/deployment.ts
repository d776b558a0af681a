import { EngineView, TEST_HOST_SOCKET } from './engine.js';
import { type Commands, type Outcome, Project } from './project.js';

export const DOCUMENT = 'test/deploy/documents/coffee-machine.md';
export const QUESTION = 'Когда чистят кофемашину?';

/** An environment that the lists of tests beside this file are run on. */
export interface DeploymentDescription {
  /** Its name; the project has config/environments/NAME.yaml. */
  readonly name: string;
  /** A copy of the project, in which the commands are run. */
  readonly project: string;
  /** Its services: containers that run all the time and have a health check. */
  readonly services: readonly string[];
  /** Names of the containers that do not start with the environment's name, by service. @default - none */
  readonly containers?: Readonly<Record<string, string>>;
  /** Its volumes that outlive a destroy, without the environment's name in front. */
  readonly dataVolumes: readonly string[];
  /** Those whose names do not start with the environment's name. @default - none */
  readonly namedVolumes?: readonly string[];
  /** Whether its machines share their secrets: their fingerprints are in the lock file then. @default false */
  readonly sharesSecrets?: boolean;
  /** The model server that answers: its service, the port inside its networks, and the model that it lists. */
  readonly llm: { readonly service: string; readonly port: number; readonly model: string };
  /** Files that are imported before the first deploy. @default - none */
  readonly models?: readonly { readonly file: string; readonly llm?: string; readonly embeddings?: true }[];
  /** Collection that the document is ingested into. */
  readonly collection: string;
  /** Course that the document belongs to. */
  readonly course: string;
  /** Address of the chat page. */
  readonly chat: string;
  /** Name of the database. @default ml_db */
  readonly database?: string;
  /** Socket of the engine, as the tests themselves see it. @default - the test host's engine */
  readonly socket?: string;
  /** How the commands are run. @default - as this process is */
  readonly commands?: Commands;
}

export interface Answer {
  readonly exchangeId: string;
  readonly chunks: readonly string[];
  readonly sources: readonly { readonly source: string; readonly collection: string }[];
}

/** An environment that is, or will be, deployed: its project, its engine, and what a user does with it. */
export class Deployment {
  readonly engine: EngineView;
  readonly project: Project;

  constructor(readonly description: DeploymentDescription) {
    const { name, project, services, containers, namedVolumes, socket = TEST_HOST_SOCKET, commands } = description;
    this.engine = new EngineView(socket, name, services, containers, namedVolumes);
    this.project = new Project(project, name, commands);
  }

  get name(): string {
    return this.description.name;
  }

  /** Import every model file. */
  readonly importModels = async (): Promise<void> => {
    for (const { file, llm, embeddings } of this.description.models ?? []) {
      const whose = [...(llm ? ['--llm', llm] : []), ...(embeddings ? ['--embeddings'] : [])];
      await this.project.ragdock('model', 'import', file, '--env', this.name, ...whose);
    }
  };

  readonly ingest = (path = DOCUMENT): Promise<Outcome> => {
    const { collection, course } = this.description;
    return this.project.ragdock('ingest', path, '--collection', collection, '--course', course, '--env', this.name);
  };

  /** Ask a question as a user does; fails if it is not answered to the end. */
  readonly ask = async (question = QUESTION): Promise<Answer> =>
    parseAnswer(await this.project.ragdock(...this.#asking(question)));

  /** Ask, and give back nothing where the stack cannot answer right now. */
  readonly tryToAsk = async (question = QUESTION): Promise<Answer | undefined> => {
    const outcome = await this.project.tryRagdock(...this.#asking(question));
    return outcome.code === 0 ? parseAnswer(outcome) : undefined;
  };

  /** One value from the database, as the superuser sees it. */
  readonly sql = async (statement: string): Promise<string> => {
    const script =
      'PGPASSWORD="$(cat "$(ls -v /run/secrets/postgres-superuser-password.v* | tail -n 1)")"; export PGPASSWORD; exec psql -w -h /var/run/postgresql -U postgres -d "$1" -tAc "$2"';
    const { database = 'ml_db' } = this.description;
    return (await this.engine.execIn('postgres', ['sh', '-c', script, 'sh', database, statement])).trim();
  };

  /** A GET on Prometheus' API from inside its own container. */
  readonly prometheus = async <T>(path: string): Promise<T> => {
    const url = `http://127.0.0.1:9090/api/v1/${path}`;
    return JSON.parse(await this.engine.execIn('prometheus', ['wget', '-q', '-O', '-', url])).data as T;
  };

  #asking(question: string): readonly string[] {
    return ['ask', question, '--course', this.description.course, '--env', this.name, '--json'];
  }
}

function parseAnswer({ stdout }: Outcome): Answer {
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const accepted = events.find((event) => event.event === 'accepted');
  const done = events.find((event) => event.event === 'done');
  if (!accepted || !done) throw new Error(`the answer is not complete: ${stdout}`);
  return {
    exchangeId: accepted.exchangeId,
    chunks: events.filter((event) => event.event === 'chunk').map((event) => event.text),
    sources: done.sources,
  };
}
