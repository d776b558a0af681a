import type { DescribedStack } from '../operator/stack.js';
import type { RagdockCommand } from './command.js';
import type { Io } from './io.js';

/** Options that name a collection, and a course in it. */
export interface CollectionOptions {
  readonly collection: string;
  readonly env: string;
  readonly course?: string;
}

/** What the options name. */
export interface CollectionCourse {
  readonly stack: DescribedStack;
  readonly collection: string;
  readonly course: string;
}

/** Adds the options to a command. @param collection what the collection is to it */
export function withCollectionOptions(command: RagdockCommand, collection: string): RagdockCommand {
  return command
    .requiredOption('--collection <name>', collection)
    .requiredOption('--env <env>', 'name or file of the environment')
    .option('--course <name>', 'course that the documents belong to (default: the first one of the environment)');
}

/**
 * @param courses whether the course has to be one that the environment has, or may be one that it had
 * @throws RagdockError USAGE for a collection or a course that the environment does not have
 */
export async function collectionCourse(
  options: CollectionOptions,
  io: Io,
  courses: 'present' | 'former',
): Promise<CollectionCourse> {
  const { describeStack } = await import('../operator/stack.js');
  const { requireKnown } = await import('../operator/known.js');
  const { CourseName } = await import('../../config/schema.js');
  const stack = describeStack(options.env, io.cwd);
  const { name, settings } = stack.environment;
  const { api } = settings.services;
  const course = options.course ?? api.courses[0] ?? '';
  requireKnown('collection', options.collection, Object.keys(api.collections), name);
  if (courses === 'present' || !CourseName.safeParse(course).success) requireKnown('course', course, api.courses, name);
  return { stack, collection: options.collection, course };
}
