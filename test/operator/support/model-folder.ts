import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { temporaryFolder } from '../../support/folder.js';

/** A file of weights with one tensor of `bytes` zeros. */
export function safetensors(bytes = 16): Buffer {
  const header = Buffer.from(
    JSON.stringify({ 'lm_head.weight': { dtype: 'F16', shape: [bytes / 2], data_offsets: [0, bytes] } }),
  );
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, Buffer.alloc(bytes)]);
}

/** A folder with the files of a model, and with others; undefined leaves one out. */
export function modelFolder(
  change: Readonly<Record<string, string | Buffer | undefined>> = {},
  folder = temporaryFolder(),
): string {
  const files: Record<string, string | Buffer | undefined> = {
    'config.json': '{"model_type": "mistral"}',
    'tokenizer.json': '{}',
    'model.safetensors': safetensors(),
    ...change,
  };
  for (const [name, content] of Object.entries(files)) {
    if (content === undefined) continue;
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}
