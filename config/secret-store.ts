import { z } from 'zod';

/** Where the values of an environment's secrets come from. Rules say what belongs together. */
export const SecretsSchema = z.strictObject({
  store: z
    .enum(['files', 'sops', 'command'])
    .default('files')
    .describe(
      'Where secret values come from: files of this machine, an encrypted file in git, or a command that prints one, for vaults',
    ),
  command: z
    .array(z.string())
    .min(1)
    .optional()
    .describe(
      'Program and arguments that print one value; no shell. `{env}`, `{name}`, `{version}` stand for the value’s',
    ),
  file: z
    .string()
    .regex(
      /^(?!\.{1,2}\/)[A-Za-z0-9._-]+(\/(?!\.{1,2}\/)[A-Za-z0-9._-]+)*\.ya?ml$/,
      'expected a path inside the project that ends in .yaml',
    )
    .optional()
    .describe('Encrypted file of the store sops, relative to the project. Default: config/secrets/ENV.sops.yaml'),
  timeoutSeconds: z
    .int()
    .min(1)
    .max(600)
    .default(30)
    .describe('Longest time that the command takes for one value, or sops for one call'),
  shared: z
    .boolean()
    .default(true)
    .describe('Every machine has the same values, and the lock file their fingerprints; false: each has its own'),
});

export type SecretsSettings = z.output<typeof SecretsSchema>;

/** Path of an environment's encrypted file, relative to the project. */
export const sopsFileOf = ({ file }: SecretsSettings, environment: string): string =>
  file ?? `config/secrets/${environment}.sops.yaml`;

/** What a command's arguments may name. */
export const PLACEHOLDERS = ['env', 'name', 'version'] as const;

/** What the arguments of a command have in place of values: `{name}`. */
const PLACEHOLDER = /\{([A-Za-z]+)\}/g;

/** Every placeholder of a command, known or not, with the index of its argument. */
export function placeholdersIn(
  command: readonly string[],
): readonly { readonly index: number; readonly name: string }[] {
  return command.flatMap((argument, index) =>
    [...argument.matchAll(PLACEHOLDER)].map(([, name = '']) => ({ index, name })),
  );
}

/** The program and arguments that print one value. */
export function commandFor(
  command: readonly string[],
  values: Readonly<Record<(typeof PLACEHOLDERS)[number], string>>,
): readonly string[] {
  return command.map((argument) =>
    argument.replace(PLACEHOLDER, (whole, name: string) => values[name as keyof typeof values] ?? whole),
  );
}
