/** What ssh, or docker on the other side, ends with, and what helps. The first that fits counts. */
const ADVICE: readonly (readonly [RegExp, (login: string, host: string) => string])[] = [
  [
    /host key verification failed/i,
    (login, host) =>
      `Compare the host's key with what its owner tells you. Forget a key that was replaced with \`ssh-keygen -R ${host}\`, then accept the new one with \`${login}\`.`,
  ],
  [
    /permission denied.*daemon socket/i,
    (login) =>
      `Let the user use Docker there (on most systems: a member of the group docker); \`${login} docker version\` shows whether it may.`,
  ],
  [
    /permission denied|too many authentication failures/i,
    (login) => `Bring your key there with ssh-copy-id, or load it with ssh-add, until \`${login}\` asks for nothing.`,
  ],
  [
    /cannot connect to the docker daemon/i,
    (login) => `Start the engine there; \`${login} docker version\` shows whether it answers.`,
  ],
  [
    /not found|is not a docker command/i,
    (login) =>
      `Install the docker command there, 18.09 or newer, on the path of commands that ssh runs: \`${login} docker version\` has to work.`,
  ],
  [
    /kex_exchange_identification|connection (reset|closed) by/i,
    (login) =>
      `Its sshd dropped the connection, as it does when many log in at once (MaxStartups): try again, or see with \`${login}\` what it says.`,
  ],
];

/** What to do when no connection to the Docker engine behind this ssh:// address comes about, by what ssh said. */
export function sshAdvice(address: URL, said: string): string {
  const name = address.hostname;
  const user = address.username === '' ? '' : `${decodeURIComponent(address.username)}@`;
  const login = ['ssh', ...(address.port === '' ? [] : ['-p', address.port]), `${user}${name}`].join(' ');
  const host = address.port === '' ? name : `'[${name}]:${address.port}'`;
  const [, advise] = ADVICE.find(([pattern]) => pattern.test(said)) ?? [];
  return advise
    ? advise(login, host)
    : `Correct \`host.docker\`, or the machine and its sshd, until \`${login} docker version\` works.`;
}
