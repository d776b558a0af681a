import type { PublishedPort, Service } from '../../model/index.js';
import { type TerraformElement, TerraformOutput, type TerraformStack } from '../../tf.js';
import { tfEscape } from './escape.js';

/** Addresses that stand for all of a host's own; one of them cannot be connected to. */
const ANY_ADDRESS: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

/** What the outputs of a stack tell beside its services. */
export interface Versions {
  readonly environment: string;
  /** Hash of the bundled apps; undefined when nothing of the stack runs them. */
  readonly apps: string | undefined;
  /** Image of each service with its tag, by the service's id. */
  readonly images: ReadonlyMap<string, string>;
}

/** Where a published endpoint answers, as seen from the host. */
export function publishedUrl({ endpoint, port, address }: PublishedPort): string {
  const host = ANY_ADDRESS.has(address) ? 'localhost' : address.includes(':') ? `[${address}]` : address;
  const login = endpoint.user === undefined ? '' : `${endpoint.user}@`;
  return `${endpoint.scheme}://${login}${host}:${port}${endpoint.basePath}`;
}

/** Outputs of a service: the URL of each endpoint that it publishes. */
export function outputUrls(stack: TerraformStack, service: Service): void {
  const id = `${service.node.id}_url`;
  for (const published of service.published) {
    const { name } = published.endpoint;
    const output = new TerraformOutput(stack, `output-${id}-${name}`, {
      value: tfEscape(publishedUrl(published)),
      description: `Where ${service.node.id} answers`,
    });
    named(output, name === 'http' ? id : `${service.node.id}_${name}_url`);
  }
}

/** Outputs of a whole stack: what is deployed, in which versions. Scripts depend on the names. */
export function outputVersions(stack: TerraformStack, { environment, apps, images }: Versions): void {
  named(
    new TerraformOutput(stack, 'output-environment', {
      value: tfEscape(environment),
      description: 'Name of the environment',
    }),
    'environment',
  );
  const versions = [...images].sort(([a], [b]) => (a < b ? -1 : 1)).map(([id, image]) => [id, tfEscape(image)]);
  const output = new TerraformOutput(stack, 'output-versions', {
    // A map as the value has the framework call what Node 22 and newer warn of, on the terminal of every user.
    value: '',
    description: 'Image of each service, with its tag',
  });
  output.addOverride('value', Object.fromEntries(versions));
  named(output, 'versions');
  if (apps === undefined) return;
  named(
    new TerraformOutput(stack, 'output-apps_bundle', { value: apps, description: 'Hash of the bundled apps' }),
    'apps_bundle',
  );
}

function named(output: TerraformElement, id: string): void {
  output.overrideLogicalId(id);
}
