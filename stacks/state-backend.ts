import type { Construct } from 'constructs';
import type { State } from '../config/state.js';
import { tfEscape } from '../constructs/engines/docker/escape.js';
import { TerraformBackend, TerraformRemoteState } from '../constructs/tf.js';

/** Any backend of Terraform under its own name, with settings as they are; the framework has a class for some. */
export class StateBackend extends TerraformBackend {
  readonly #config: Readonly<Record<string, unknown>>;

  /** @param state with paths as Terraform is to see them */
  constructor(scope: Construct, { backend, config }: State) {
    super(scope, 'backend', backend);
    this.#config = literal(config) as Readonly<Record<string, unknown>>;
  }

  protected override synthesizeAttributes(): Record<string, unknown> {
    return { ...this.#config };
  }

  protected override synthesizeHclAttributes(): Record<string, unknown> {
    return { ...this.#config };
  }

  /** Called by the framework where another stack refers to something of this one. */
  override getRemoteStateDataSource(scope: Construct, name: string, _fromStack: string): TerraformRemoteState {
    return new RemoteState(scope, name, this.name, { ...this.#config });
  }
}

class RemoteState extends TerraformRemoteState {}

/** Strings that Terraform takes as they are: a backend's settings are read before there is anything to refer to. */
function literal(value: unknown): unknown {
  if (typeof value === 'string') return tfEscape(value);
  if (Array.isArray(value)) return value.map(literal);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, literal(inner)]));
}
