import { FAILURES, type Failure } from './catalogue.js';

const EXIT: Readonly<Record<Failure['exit'], string>> = {
  1: '1, a check failed',
  2: '2, wrong input',
  3: '3, something could not be reached',
};

/** `docs/errors.md`: one section per code of the catalogue, in the catalogue's order. */
export function errorsPage(): string {
  const sections = Object.entries<Failure>(FAILURES).map(
    ([code, { title, remedy, exit }]) => `## ${code}\n\n${title}.\n\n${remedy}\n\nExit code: ${EXIT[exit]}.\n`,
  );
  return [
    '# Errors\n\n',
    'Every problem that ragdock reports has one of these codes. Codes are stable; scripts may depend on them. A problem\n',
    'is printed as `CODE  file:line:column  path`, what is wrong, and what to do. `ragdock validate --json` gives the same\n',
    'as data.\n\n',
    sections.join('\n'),
  ].join('');
}
