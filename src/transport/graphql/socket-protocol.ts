// Owns the binding of the graphql-ws protocol to sockets of `ws`: messages are bounded before they are parsed, and a client that has left causes no error.
import type { IncomingMessage } from 'node:http';
import { CloseCode, handleProtocols, makeServer, type ServerOptions } from 'graphql-ws';
import type { WebSocket, WebSocketServer } from 'ws';
import type { Logger } from '../../kernel/logger.ts';
import { jsonExcess } from '../http/json-bounds.ts';

/** Data that the protocol's hooks find beside the context of a connection. */
export interface SocketExtra {
  readonly socket: WebSocket;
  readonly request: IncomingMessage;
}

interface SocketProtocolOptions<Session> {
  readonly sockets: WebSocketServer;
  readonly hooks: ServerOptions<Record<string, unknown>, SocketExtra & Session>;
  readonly keepAliveMs: number;
  readonly logger: Logger;
}

/** Serves each connection of `sockets`; the returned function tells all clients to leave. */
export function serveSockets<Session>(options: SocketProtocolOptions<Session>): () => Promise<void> {
  const { sockets, keepAliveMs, logger } = options;
  const protocol = makeServer<Record<string, unknown>, SocketExtra & Session>(options.hooks);
  sockets.options.handleProtocols = handleProtocols;
  sockets.on('connection', (socket, request) => {
    // The socket closes after this. A client that breaks the connection or the protocol is nothing that an operator can correct, so it is logged as debug.
    socket.on('error', (error) => logger.debug({ err: error }, 'A WebSocket failed'));
    const stopPinging = keepAlive(socket, keepAliveMs);
    const closed = protocol.opened(
      {
        protocol: socket.protocol,
        send: (text) => send(socket, text),
        close: (code, reason) => socket.close(code, reason),
        onMessage: (take) => socket.on('message', (data) => void receive(socket, String(data), take, logger)),
      },
      { socket, request } as SocketExtra & Session,
    );
    socket.once('close', (code, reason) => {
      stopPinging();
      closed(code, String(reason)).catch((error: unknown) =>
        logger.error({ err: error }, 'A WebSocket could not be cleared away'),
      );
    });
  });
  return async () => {
    for (const socket of sockets.clients) socket.close(1001, 'Going away');
    sockets.removeAllListeners();
    await new Promise<void>((resolve) => sockets.close(() => resolve()));
  };
}

/** Settles when the text has been handed to the socket, or cannot be sent any more because the client has left. */
function send(socket: WebSocket, text: string): Promise<void> {
  return new Promise((resolve) => {
    if (socket.readyState === socket.OPEN) socket.send(text, () => resolve());
    // Resolved one turn of the event loop later: otherwise a stream that always has more would keep the socket from reporting that it has closed.
    else setImmediate(resolve);
  });
}

async function receive(
  socket: WebSocket,
  text: string,
  take: (text: string) => Promise<void>,
  logger: Logger,
): Promise<void> {
  // Messages that arrive after a close was requested are ignored.
  if (socket.readyState !== socket.OPEN) return;
  const excess = jsonExcess(text);
  if (excess !== undefined) {
    socket.close(CloseCode.BadRequest, excess);
    return;
  }
  try {
    await take(text);
  } catch (error) {
    logger.error({ err: error }, 'A WebSocket message could not be answered');
    socket.close(CloseCode.InternalServerError, 'Internal server error');
  }
}

/** Ends a connection whose client no longer answers pings. Returns the function that stops the check. */
function keepAlive(socket: WebSocket, everyMs: number): () => void {
  let answered = true;
  socket.on('pong', () => {
    answered = true;
  });
  const timer = setInterval(() => {
    if (socket.readyState !== socket.OPEN) return;
    if (!answered) return socket.terminate();
    answered = false;
    socket.ping();
  }, everyMs);
  return () => clearInterval(timer);
}
