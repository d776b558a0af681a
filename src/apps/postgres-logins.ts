import { postgresAddress } from '../rag/history/connection.js';
import { type Login, loginOf } from '../rag/history/login.js';
import { versions } from './secret-file.js';

/**
 * Who may log in at an address now, the newest version of the password first: at most two, of which the server knows at
 * least one.
 *
 * @param url `postgresql://user@host:port/database`; a user `NAME_*` is the login of the password's version
 * @param passwordFile path of the password without version
 * @throws as `newest` does
 */
export async function loginsAt(url: string, passwordFile: string): Promise<readonly Login[]> {
  const { user } = postgresAddress(url);
  return (await versions(passwordFile)).map(({ version, value }) => ({
    user: loginOf(user, version),
    password: value,
  }));
}
