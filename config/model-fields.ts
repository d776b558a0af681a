import { z } from 'zod';
import { text, volumeName } from './fields.js';

/** What every server of a model has, whatever the model is for. */

export const modelsVolume = volumeName
  .optional()
  .describe('Name of the volume with the model files. Default: `<environment>-<service>-models`');

export const repository = text(
  /^[A-Za-z0-9][A-Za-z0-9._-]*(\/[A-Za-z0-9][A-Za-z0-9._-]*)?$/,
  'a repository of Hugging Face, owner/name',
);

export const revision = text(/^[A-Za-z0-9][A-Za-z0-9._/-]{0,127}$/, 'a branch, a tag or a commit').describe(
  'Branch, tag or commit of the repository; a commit never changes. Default: `main`',
);

export const hostFolder = text(/^\/[^:\0]*[^:/\0]$/, 'an absolute path without : or / at the end');

const gpuDevice = text(/^(\d{1,2}|(GPU|MIG)-[A-Za-z0-9][A-Za-z0-9/-]*)$/, 'an index or UUID of `nvidia-smi -L`');

export const gpus = z
  .strictObject({
    devices: z
      .array(gpuDevice)
      .min(1)
      .optional()
      .describe('Cards that it may use, by index, in quotes, or by UUID. Default: all'),
    by: z
      .enum(['nvidia-runtime', 'device-request'])
      .default('nvidia-runtime')
      .describe('Who hands them out: the container runtime `nvidia`, or the engine by a device request'),
  })
  .describe('Graphics cards');
export type GpuSettings = z.output<typeof gpus>;
