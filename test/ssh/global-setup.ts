import type { TestProject } from 'vitest/node';
import { requireTestHost } from '../deploy/support/global-setup.js';
import { modelFile } from '../deploy/support/project.js';

export default function setup(project: TestProject): void {
  requireTestHost();
  project.provide('modelFile', modelFile());
}
