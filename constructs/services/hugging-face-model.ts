import type { Construct } from 'constructs';
import { HUGGING_FACE_VARIABLES, type HuggingFaceSettings } from '../../src/apps/jobs/settings.js';
import { type DataVolume, Job, SecretRef, secretPath, type User } from '../model/index.js';
import { addSettings, bundledApp } from './bundled-app.js';

const HUB = 'https://huggingface.co';

/** A model of 100 GB over 50 Mbit/s takes four and a half hours. */
const DEADLINE_SECONDS = 4 * 3600;

/** What is downloaded, and where to. */
export interface HuggingFaceModelProps {
  /** The server's user. */
  readonly user: User;
  /** Repository of Hugging Face. */
  readonly repository: string;
  /** Branch, tag or commit. */
  readonly revision: string;
  /** Whether the repository wants a token. */
  readonly token: boolean;
  /** Where the server finds it, laid out as a cache of Hugging Face. */
  readonly volume: DataVolume;
}

/** Downloads a model from Hugging Face into the volume that the server reads, unless it is there already. */
export class HuggingFaceModel extends Job {
  constructor(scope: Construct, id: string, props: HuggingFaceModelProps) {
    super(scope, id, {
      ...bundledApp('job-hugging-face'),
      user: props.user,
      memoryMiB: 256,
      egress: { reason: 'downloads the model when the volume does not hold it' },
    });
    if (props.token) {
      const token = new SecretRef(`${id}-token`, `downloads the model of ${id} from Hugging Face`, 'given');
      // A token that is replaced is tried: the one before it may have ended the job.
      this.setEnvironment(HUGGING_FACE_VARIABLES.tokenFile, secretPath(token, 'current'));
    }
    this.addDataVolume(props.volume);
    addSettings(this, {
      endpoint: HUB,
      repository: props.repository,
      revision: props.revision,
      home: props.volume.path,
      deadlineSeconds: DEADLINE_SECONDS,
    } satisfies HuggingFaceSettings);
  }
}

/**
 * Path of the marker that a complete download leaves in the volume mounted at `home`. It holds the path of the model's
 * files from `home` on.
 */
export function modelMarker(home: string, repository: string, revision: string): string {
  const flat = (text: string): string => text.replaceAll('/', '--');
  return `${home}/.ragdock/${flat(repository)}@${flat(revision)}`;
}
