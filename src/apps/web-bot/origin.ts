import type { IncomingHttpHeaders } from 'node:http';

/**
 * Whether a handshake comes from our own page, or from no page at all. Browsers send `Origin` with every WebSocket and
 * let any page open one, so this is what keeps other sites from chatting in a visitor's name, once `Host` is a name of
 * ours: a site whose name was made to resolve to us has both alike.
 */
export function isSameOrigin({ origin, host }: IncomingHttpHeaders): boolean {
  if (origin === undefined) return true;
  if (host === undefined || !URL.canParse(origin)) return false;
  const { protocol, host: originHost } = new URL(origin);
  // Read in the origin's scheme, so that an explicit default port compares equal to an omitted one.
  const ours = `${protocol}//${host}`;
  return originHost !== '' && URL.canParse(ours) && new URL(ours).host === originHost;
}

/** Whether a browser says that another site's page asks; requests that need no permission carry no `Origin`. */
export function isCrossSite({ 'sec-fetch-site': site }: IncomingHttpHeaders): boolean {
  return site === 'cross-site' || site === 'same-site';
}
