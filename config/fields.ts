import { z } from 'zod';

/** A text of one form. The words that say which form serve messages, editors and the reference alike. */
export const text = (pattern: RegExp, form: string) =>
  z.string().regex(pattern, `expected ${form}`).meta({ title: form });

/** Amounts of memory are written `512MiB` or `2GiB`; the parsed value is a whole number of MiB. */
export const memory = z.codec(text(/^[1-9]\d{0,6}(MiB|GiB)$/, 'an amount like 512MiB or 2GiB'), z.int().min(1), {
  decode: (text) => Number.parseInt(text, 10) * (text.endsWith('GiB') ? 1024 : 1),
  encode: (mebibytes) => (mebibytes % 1024 === 0 ? `${mebibytes / 1024}GiB` : `${mebibytes}MiB`),
});

/** Addresses that both Terraform's provider and this program can use. */
export const engineAddress = text(
  /^(unix:\/\/\/|ssh:\/\/|tcp:\/\/).+$/,
  'unix:///path, ssh://user@host or tcp://host:port',
);

/** Longest name of a container or volume, in characters: a container's name is also its host name, which ends there. */
export const NAME_LENGTH = 63;

const engineName = text(
  /^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,62}$/,
  '2 to 63 letters, digits, and . _ -, a letter or digit first',
);

export const containerName = engineName.describe('Name of the container. Default: `<environment>-<service>`');

export const volumeName = engineName.describe(
  'Name of the data volume, also of one that exists already. Default: `<environment>-<service>-data`',
);

export const imageReference = text(
  /^[a-z0-9][a-z0-9._/:-]*:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}(@sha256:[0-9a-f]{64})?$/,
  'an image with a tag, repository:tag, optionally @sha256:…',
).refine((reference) => !/:latest(@|$)/.test(reference), 'the tag latest names a different image every week; pin one');

export const identifier = text(
  /^[a-z][a-z0-9-]{0,30}$/,
  'lower-case letters, digits and -, a letter first, at most 31',
);

const LABEL = '[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?';

/** What browsers send as `Host`, without the port. */
export const hostName = text(
  new RegExp(`^(?=.{1,253}$)${LABEL}(\\.${LABEL})*$`),
  'a host name like chat.example.org: lower-case, without scheme and port',
);

export const hostPort = z.int().min(1).max(65_535);

export const variableName = text(/^[A-Z][A-Z0-9_]*$/, 'the name of an environment variable: A-Z, 0-9 and _');

export const containerPath = text(/^\/[^:]*[^:/]$/, 'an absolute path without : or / at the end');

export const duration = text(/^[1-9]\d{0,6}(s|m|h|d)$/, 'a duration like 15s, 5m, 12h or 7d');

export const publish = z
  .strictObject({
    port: hostPort.describe('Port on the Docker host'),
    address: z
      .ipv4({ error: 'expected an IPv4 address' })
      .default('127.0.0.1')
      .describe('Address of the Docker host that the port binds'),
    acknowledge: z
      .string()
      .min(8)
      .optional()
      .describe('Why the port may be reached from other machines; required for any address but 127.0.0.1'),
  })
  .describe('A port of the Docker host that leads to the service');

/** What every managed service may override. */
export const common = (memoryDefault: string) => ({
  container: containerName.optional(),
  image: imageReference.optional().describe('Another image with the same contract. Default: the pinned one'),
  memory: memory.prefault(memoryDefault).describe('Memory limit; no swap on top of it'),
});
