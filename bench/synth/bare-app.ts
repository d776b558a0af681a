/** A resource as Terraform reads it; under `//` stands where it comes from. */
type Resource = Readonly<Record<string, unknown>>;

/** A synthesised stack, as far as it is made again. */
export interface Stack {
  readonly '//': { readonly metadata: { readonly overrides?: Readonly<Record<string, readonly string[]>> } };
  readonly terraform: {
    readonly backend: { readonly local: { readonly path: string } };
    readonly required_providers: unknown;
  };
  readonly provider: { readonly docker: readonly [{ readonly host: string }] };
  readonly variable: Readonly<Record<string, Resource>>;
  readonly output: Readonly<Record<string, Resource>>;
  readonly resource: Readonly<Record<string, Readonly<Record<string, Resource>>>>;
}

const CLASSES: Readonly<Record<string, string>> = {
  docker_image: 'Image',
  docker_network: 'Network',
  docker_volume: 'Volume',
  docker_container: 'Container',
};

/** Attributes whose keys are the user's own. */
const MAPS = new Set(['log_opts', 'options', 'triggers', 'driver_opts', 'sysctls', 'storage_opts', 'tmpfs']);

/**
 * The source of a cdktf app that makes the same stacks as somebody would write it by hand: one call for each resource,
 * with its values, and with the other resources where it refers to them.
 */
export function bareApp(stacks: ReadonlyMap<string, Stack>): string {
  return [
    `import { Container } from '@cdktf/provider-docker/lib/container/index.js';`,
    `import { Image } from '@cdktf/provider-docker/lib/image/index.js';`,
    `import { Network } from '@cdktf/provider-docker/lib/network/index.js';`,
    `import { DockerProvider } from '@cdktf/provider-docker/lib/provider/index.js';`,
    `import { Volume } from '@cdktf/provider-docker/lib/volume/index.js';`,
    `import { App, LocalBackend, TerraformOutput, TerraformStack, TerraformVariable } from 'cdktf';`,
    '',
    'const app = new App();',
    ...[...stacks].map(([name, stack]) => stackSource(name, stack)),
    'app.synth();',
    '',
  ].join('\n');
}

function stackSource(name: string, stack: Stack): string {
  const { terraform, provider, variable, output, resource } = stack;
  const all = new Map<string, Resource>(
    Object.keys(CLASSES).flatMap((type) =>
      Object.entries(resource[type] ?? {}).map(([id, values]) => [`${type}.${id}`, values] as const),
    ),
  );
  return [
    '{',
    `const stack = new TerraformStack(app, ${text(name)});`,
    `const made = {};`,
    `new LocalBackend(stack, ${text(terraform.backend.local)});`,
    `new DockerProvider(stack, 'docker', ${text(provider.docker[0])});`,
    `stack.addOverride('terraform.required_providers', ${text(terraform.required_providers)});`,
    ...named('TerraformVariable', variable),
    ...inOrder(all).map((address) => resourceSource(address, all.get(address) ?? {}, stack)),
    ...named('TerraformOutput', output),
    '}',
  ].join('\n');
}

const named = (kind: string, all: Readonly<Record<string, Resource>>): readonly string[] =>
  Object.entries(all).map(([id, values]) => `new ${kind}(stack, ${text(id)}, ${text(values)});`);

/** Addresses with those first that others depend on. */
function inOrder(all: ReadonlyMap<string, Resource>): readonly string[] {
  const ordered = new Set<string>();
  const visit = (address: string): void => {
    for (const before of (all.get(address)?.depends_on ?? []) as readonly string[]) visit(before);
    ordered.add(address);
  };
  for (const address of all.keys()) visit(address);
  return [...ordered];
}

function resourceSource(address: string, values: Resource, stack: Stack): string {
  const [type = '', id = ''] = address.split('.');
  // What the bindings cannot say, ragdock says by an override, and so does whoever writes by hand.
  const overrides = new Set(stack['//'].metadata.overrides?.[type] ?? []);
  const { '//': _comment, depends_on: dependsOn, ...rest } = values;
  const attributes = Object.entries(rest).filter(([key]) => !overrides.has(key));
  const config = [
    ...attributes.map(([key, value]) => `${attributeOf(key)}: ${source(MAPS.has(key) ? value : camelKeys(value))}`),
    ...(dependsOn === undefined ? [] : [`dependsOn: [${(dependsOn as string[]).map(made).join(', ')}]`]),
  ];
  return [
    `${made(address)} = new ${CLASSES[type]}(stack, ${text(`${type}-${id}`)}, {\n${config.join(',\n')},\n});`,
    `${made(address)}.overrideLogicalId(${text(id)});`,
    ...Object.entries(rest)
      .filter(([key]) => overrides.has(key))
      .map(([key, value]) => `${made(address)}.addOverride(${text(key)}, ${source(value)});`),
  ].join('\n');
}

/** `build` is the name of something else in the classes. */
const attributeOf = (key: string): string => (key === 'build' ? 'buildAttribute' : camel(key));

const made = (address: string): string => `made[${text(address)}]`;

const text = (value: unknown): string => JSON.stringify(value);

/** A value as source, with references to other resources as their attributes. */
function source(value: unknown): string {
  return text(value).replace(
    /"\$\{(docker_(?:image|network)\.[\w-]+)\.(image_id|id)\}"/g,
    (_all, address: string, attribute: string) => `${made(address)}.${camel(attribute)}`,
  );
}

const camel = (key: string): string => key.replace(/_([a-z0-9])/g, (_all, letter: string) => letter.toUpperCase());

function camelKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camelKeys);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [camel(key), MAPS.has(key) ? inner : camelKeys(inner)]),
  );
}
