// The socket of the chat, and the token that opens it.

async function sessionToken(base) {
  const response = await fetch(`${base}/session`);
  if (!response.ok) throw new Error(`/session: ${response.status}`);
  return (await response.json()).token;
}

/**
 * A socket that is yet to connect. Each connection, also one that replaces a lost one hours later, fetches a token of
 * its own, as that of the first has expired by then.
 *
 * @param {typeof import('socket.io-client').io} io
 * @param {string} base - address of the web bot; empty for that of the page
 * @param {number} retryMs - wait after a refusal, of which Socket.IO itself does not come back
 */
export function openSocket(io, base, retryMs) {
  const socket = io(base || undefined, {
    autoConnect: false,
    // A socket that cannot be a WebSocket (some proxies) falls back to polling.
    transports: ['websocket', 'polling'],
    tryAllTransports: true,
    auth: (proceed) => {
      sessionToken(base).then(
        (token) => proceed({ token }),
        // Refused, and tried again like everything else that goes wrong.
        () => proceed({}),
      );
    },
  });
  socket.on('connect_error', () => {
    if (!socket.active) setTimeout(() => socket.connect(), retryMs);
  });
  return socket;
}
