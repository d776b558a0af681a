/** A role of PostgreSQL that logs in, with its password. */
export interface Login {
  readonly user: string;
  readonly password: string;
}

/** What stands for the two roles that take turns: `rag_api_*` in an address means `rag_api_1` or `rag_api_2`. */
const IN_TURN = /_\*$/;

/** Both logins of a role whose logins take turns. */
export const bothLogins = (name: string): readonly [string, string] => [`${name}_1`, `${name}_2`];

/**
 * The role that logs in with a version of the password. Odd versions belong to the first of two logins and even ones to
 * the second, so that a new password works beside the one before it.
 *
 * @param user of the address; one without `_*` at its end is the role itself, whatever the version
 * @param version of the password, from 1 on
 */
export function loginOf(user: string, version: number): string {
  return IN_TURN.test(user) ? user.replace(IN_TURN, version % 2 === 1 ? '_1' : '_2') : user;
}
