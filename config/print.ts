import { stringify } from 'yaml';
import { z } from 'zod';
import { EnvironmentSchema, type Settings } from './schema.js';

/** All settings, defaults and those of the extended file included, as a file that could stand by itself. */
export function printSettings(settings: Settings): string {
  const { extends: _base, template: _template, ...resolved } = z.encode(EnvironmentSchema, settings);
  return stringify(resolved, { lineWidth: 0, aliasDuplicateObjects: false });
}
