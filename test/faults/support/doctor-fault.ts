import type Docker from 'dockerode';
import type { FindingId } from '../../../src/doctor/finding.js';

/** A deployed environment that is broken on purpose, and mended again. */
export interface DoctorFaultContext {
  readonly docker: Docker;
  /** Name of the environment; it is made of what `dev` is made of. */
  readonly environment: string;
  /** Folder of the project that it was deployed from. */
  readonly project: string;
  /** Deploy it once more, as it is described. */
  deploy(): Promise<void>;
}

/** One way to break a deployed environment that the doctor has to tell. */
export interface DoctorFault {
  readonly id: string;
  /** Break it. Done when the engine, or the file, says so; the finding may come a little later. */
  provoke(context: DoctorFaultContext): Promise<void>;
  /** Mend it: everything is as before, but for the times of restarts. */
  undo(context: DoctorFaultContext): Promise<void>;
  /** The finding that has to be among those of the doctor. */
  readonly expects: FindingId;
  /** Id of the service that it is of. @default - of none */
  readonly service?: string;
}
