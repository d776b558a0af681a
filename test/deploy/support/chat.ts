import { io, type Socket } from 'socket.io-client';

/** A connection to the chat page's server, which gets a token of its own before each handshake, as the page does. */
export function openChat(chat: string): Socket {
  return io(chat, {
    transports: ['websocket'],
    forceNew: true,
    auth: (present) => {
      fetch(new URL('/session', chat))
        .then(async (response) => ((await response.json()) as { readonly token: string }).token)
        // Without a token the handshake is refused, and tried again.
        .then(
          (token) => present({ token }),
          () => present({}),
        );
    },
  });
}
