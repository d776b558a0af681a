import type { Construct } from 'constructs';
import { type DataVolume, Job, SecretRef, secretPath, type User } from '../../model/index.js';
import { PROVIDE_MODEL } from './provide-model.js';

const PROGRAM = '/etc/ragdock/provide-model.py';

/** A model of 100 GB over 50 Mbit/s takes four and a half hours. */
const DEADLINE_SECONDS = 4 * 3600;

/** What is downloaded, and where to. */
export interface VllmModelProps {
  /** The server's image, which has the client of Hugging Face. */
  readonly image: string;
  /** The server's user. */
  readonly user: User;
  /** Repository of Hugging Face. */
  readonly repository: string;
  /** Branch, tag or commit. */
  readonly revision: string;
  /** Whether the repository wants a token. */
  readonly token: boolean;
  /** Where the server finds it. */
  readonly volume: DataVolume;
}

/** Downloads a model from Hugging Face into the volume that the server reads, unless it is there already. */
export class VllmModel extends Job {
  constructor(scope: Construct, id: string, props: VllmModelProps) {
    const token = new SecretRef(`${id}-token`, `downloads the model of ${id} from Hugging Face`, 'given');
    super(scope, id, {
      image: { reference: props.image },
      user: props.user,
      memoryMiB: 2048,
      entrypoint: ['python3', PROGRAM],
      command: [props.repository, props.revision, String(DEADLINE_SECONDS)],
      environment: {
        HOME: '/tmp',
        HF_HOME: props.volume.path,
        HF_HUB_DISABLE_TELEMETRY: '1',
        HF_HUB_DISABLE_PROGRESS_BARS: '1',
        ...(props.token ? { HF_TOKEN_PATH: secretPath(token, 'current') } : {}),
      },
      tmpfs: [{ path: '/tmp', sizeMiB: 64 }],
      egress: { reason: 'downloads the model when the volume does not hold it' },
    });
    this.addConfigFile({ path: PROGRAM, content: PROVIDE_MODEL, onChange: 'replace' });
    this.addDataVolume(props.volume);
  }
}
