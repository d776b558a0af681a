import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { io, type Socket } from 'socket.io-client';
import { expect } from 'vitest';
import { SessionTokens } from '../../../src/apps/web-bot/session-tokens.js';
import { openChat } from '../../deploy/support/chat.js';
import type { Deployment } from '../../deploy/support/deployment.js';
import type { Opens } from './opens.js';

/** Longest that a handshake takes, in milliseconds. */
const HANDSHAKE_MS = 30_000;

/** A chat, with a token that whoever holds the key has signed just now. */
export function opensChat({ project, description }: Deployment): Opens {
  return async (version) => {
    const key = readFileSync(join(project.secretsFolder, `web-bot-session-key.v${version}`), 'utf8').trim();
    const { token } = await new SessionTokens(async () => [key], 60_000).issue();
    const socket = io(description.chat, {
      transports: ['websocket'],
      forceNew: true,
      reconnection: false,
      auth: { token },
    });
    try {
      return await new Promise<boolean>((resolve, reject) => {
        setTimeout(() => reject(new Error('the chat says nothing')), HANDSHAKE_MS).unref();
        socket.once('connect', () => resolve(true));
        socket.once('connect_error', (error) => {
          if ((error as Error & { data?: { code?: string } }).data?.code === 'session_invalid') resolve(false);
          else reject(error);
        });
      });
    } finally {
      socket.disconnect();
    }
  };
}

/**
 * A reader who has the page open. What comes back expects that the chat is still the same one, without a reconnection,
 * and that the page comes back by itself, with a token of the new key, when it is cut off.
 */
export async function readerStays({ description }: Deployment): Promise<() => Promise<void>> {
  const socket = openChat(description.chat);
  await connected(socket);
  const { id } = socket;
  return async () => {
    try {
      expect([socket.connected, socket.id]).toEqual([true, id]);
      socket.io.engine.close();
      await connected(socket);
      expect(socket.id).not.toBe(id);
    } finally {
      socket.disconnect();
    }
  };
}

async function connected(socket: Socket): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    setTimeout(() => reject(new Error('the chat is not open')), HANDSHAKE_MS).unref();
    socket.once('connect', resolve);
  });
}
