import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Watches for connections on which nothing was ever asked: browsers and clients open some in advance. Node does not
 * count them as idle, so a server that stops would wait for as long as their clients like.
 *
 * @returns what ends them, and every connection that is opened later; for a server that is about to close
 */
export function watchSilentConnections(server: Server): () => void {
  const silent = new Set<Socket>();
  server.on('connection', (socket) => {
    silent.add(socket);
    socket.once('close', () => silent.delete(socket));
  });
  server.on('request', ({ socket }) => silent.delete(socket));
  server.on('upgrade', ({ socket }) => silent.delete(socket));
  return () => {
    for (const socket of silent) socket.destroy();
    server.on('connection', (socket) => socket.destroy());
  };
}
