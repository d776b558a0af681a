import { nearest } from '../../src/errors/nearest.js';
import type { Finding, Rule } from '../rules.js';
import { holdsPassword } from '../secret-names.js';
import { PLACEHOLDERS, placeholdersIn } from '../secret-store.js';
import { stateFileOf } from '../state.js';
import { secretsInState } from '../state-secrets.js';

const stateHoldsNoSecret: Rule = ({ settings: { state } }) =>
  state === undefined
    ? []
    : secretsInState(state).map(({ path, message, remedy }) => ({
        path: ['state', 'config', ...path],
        message,
        remedy,
        restsOn: [['state', 'backend']],
      }));

/** `cloud` is a block of its own beside the backends. */
const stateIsABackend: Rule = ({ settings: { state } }) =>
  state?.backend === 'cloud'
    ? [
        {
          path: ['state', 'backend'],
          message: 'cloud is no backend',
          remedy: 'Use `backend: remote` with hostname, organization and workspaces.',
        },
      ]
    : [];

const sharedStateSharesSecrets: Rule = ({ environment, settings: { state, secrets } }) => {
  if (secrets.shared || stateFileOf(state, environment, '/') !== undefined) return [];
  return [
    {
      path: ['secrets', 'shared'],
      message: 'every machine would have secrets of its own for one stack: the state is shared',
      remedy: 'Set `secrets.shared: true`, or leave `state` out.',
      restsOn: [['state', 'backend']],
    },
  ];
};

const commandBelongsToItsStore: Rule = ({ settings: { secrets } }) => {
  if (secrets.store === 'command' && secrets.command === undefined) {
    return [
      {
        path: ['secrets', 'store'],
        message: 'the store command has no command that prints values',
        remedy: "Add `command:` with program and arguments, such as `[vault-read, '{env}/{name}']`.",
        restsOn: [['secrets', 'command']],
      },
    ];
  }
  if (secrets.store === 'files' && secrets.command !== undefined) {
    return [
      {
        path: ['secrets', 'command'],
        message: 'nothing would run the command: the store is files',
        remedy: 'Set `secrets.store: command`, or take the command out.',
        restsOn: [['secrets', 'store']],
      },
    ];
  }
  return [];
};

const commandNamesTheSecret: Rule = ({ settings: { secrets } }) => {
  const { command } = secrets;
  if (command === undefined) return [];
  const found = placeholdersIn(command);
  const unknown = found
    .filter(({ name }) => !PLACEHOLDERS.some((known) => known === name))
    .map(({ index, name }): Finding => {
      const meant = nearest(name, PLACEHOLDERS);
      return {
        path: ['secrets', 'command', index],
        message: `there is no placeholder {${name}}`,
        remedy: meant ? `Did you mean \`{${meant}}\`?` : `Known: {${PLACEHOLDERS.join('}, {')}}.`,
      };
    });
  if (unknown.length > 0 || found.some(({ name }) => name === 'name')) return unknown;
  return [
    {
      path: ['secrets', 'command'],
      message: 'no argument holds {name}, so every secret would have the same value',
      remedy: 'Put `{name}` where the program takes the name of the secret.',
    },
  ];
};

const commandCanRun: Rule = ({ settings: { secrets } }) =>
  (secrets.command ?? []).flatMap((argument, index): Finding[] => {
    const path = ['secrets', 'command', index];
    if (argument.includes('\0') || (index === 0 && argument.trim() === '')) {
      return [{ path, message: 'names no program', remedy: 'Put the name or the path of a program there.' }];
    }
    if (!holdsPassword(argument)) return [];
    return [
      {
        path,
        message: 'the URL holds a password; everybody who may read this file would see it',
        remedy: 'Take it out; the program gets the environment variables of the command that runs it.',
      },
    ];
  });

export const STATE_RULES: readonly Rule[] = [
  stateHoldsNoSecret,
  stateIsABackend,
  sharedStateSharesSecrets,
  commandBelongsToItsStore,
  commandNamesTheSecret,
  commandCanRun,
];
