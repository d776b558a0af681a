import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Commands } from './project.js';
import type { TestSshd } from './sshd.js';

/**
 * A user who has no Docker engine on the machine, only ssh to one. Commands run in a mount namespace of their own, in
 * which /run, and with it the engine's socket, is empty, and root's home is a folder of the test: ssh takes it from
 * /etc/passwd, whatever HOME says. Nothing of the machine's own ~/.ssh is read or changed.
 */
export class SshClient {
  readonly home = mkdtempSync(join(tmpdir(), 'ragdock-ssh-home-'));

  constructor(readonly sshd: TestSshd) {
    mkdirSync(join(this.home, '.ssh'), { mode: 0o700 });
    const users = readFileSync('/etc/passwd', 'utf8');
    writeFileSync(this.#users, users.replace(/^(root:.*:)[^:]*(:[^:]*)$/m, `$1${this.home}$2`));
    this.useKey();
    this.trustHost();
  }

  get commands(): Commands {
    return {
      prefix: [
        // No terminal that ssh could ask on.
        ...['setsid', '--wait', 'unshare', '--mount', '--propagation', 'private', 'sh', '-euc'],
        'mount --bind "$0" /etc/passwd; mount -t tmpfs none /run; [ /var/run -ef /run ] || mount -t tmpfs none /var/run; exec "$@"',
        this.#users,
      ],
      env: {
        HOME: this.home,
        DOCKER_HOST: undefined,
        SSH_AUTH_SOCK: undefined,
        TF_CLI_CONFIG_FILE: process.env.TF_CLI_CONFIG_FILE ?? join(homedir(), '.terraformrc'),
      },
    };
  }

  /** Hold the key that the server accepts. */
  useKey(): void {
    copyFileSync(this.sshd.userKey, this.#key);
  }

  loseKey(): void {
    rmSync(this.#key);
  }

  /** Know the server by its present key. */
  trustHost(): void {
    writeFileSync(join(this.home, '.ssh/known_hosts'), this.sshd.knownHost);
  }

  forgetHost(): void {
    rmSync(join(this.home, '.ssh/known_hosts'));
  }

  remove(): void {
    rmSync(this.home, { recursive: true });
  }

  get #key(): string {
    return join(this.home, '.ssh/id_ed25519');
  }

  get #users(): string {
    return join(this.home, 'passwd');
  }
}
