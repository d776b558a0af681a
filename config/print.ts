import { stringify } from 'yaml';
import { z } from 'zod';
import { EnvironmentSchema, type Settings } from './schema.js';

/** All settings, defaults and those of the extended file included, as a file that could stand by itself. */
export function printSettings(settings: Settings): string {
  const { extends: _base, template: _template, ...resolved } = z.encode(EnvironmentSchema, settings);
  const { postgres, qdrant } = resolved.services;
  // The defaults of a server that is not deployed mean nothing, and are refused where a file gives them.
  const services = {
    ...resolved.services,
    postgres: postgres?.external ? { external: postgres.external } : postgres,
    qdrant: qdrant?.external ? { external: qdrant.external } : qdrant,
  };
  return stringify({ ...resolved, services }, { lineWidth: 0, aliasDuplicateObjects: false });
}
