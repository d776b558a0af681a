/** What `postgresql://user@host:port/database` says, as the driver takes it; the password comes from a file. */
export interface PostgresAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  /** Without it the connection is not encrypted. */
  readonly ssl: false | { readonly rejectUnauthorized: true; readonly host: string };
}

/**
 * The address of a server. With `sslmode=verify-full` the connection is encrypted, and the certificate checked for the
 * host; without, it is not encrypted. No other mode is known: none may check less than it seems to.
 *
 * Not `connectionString`: what it does not say, such as the password, the driver would set to nothing.
 *
 * @throws TypeError for another mode
 */
export function postgresAddress(url: string): PostgresAddress {
  const { hostname, port, username, pathname, searchParams } = new URL(url);
  const mode = searchParams.get('sslmode') ?? 'disable';
  if (mode !== 'verify-full' && mode !== 'disable') {
    throw new TypeError(`sslmode=${mode} is not known; use verify-full or disable`);
  }
  return {
    host: hostname,
    port: Number(port || 5432),
    user: decodeURIComponent(username),
    database: decodeURIComponent(pathname.slice(1)),
    // The host by name: of an IP address the driver tells TLS nothing, which would then check for `localhost`.
    ssl: mode === 'verify-full' ? { rejectUnauthorized: true, host: hostname } : false,
  };
}
