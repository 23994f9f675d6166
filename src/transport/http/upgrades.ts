// Owns the upgrades of HTTP connections: each goes to the door that accepts them at its path, or is refused.
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { AcceptUpgrade } from './door.ts';

/** Listens until the server is closed: without a listener, Node would pass the request to the routes as if it were no upgrade. */
export function routeUpgrades(
  server: Server,
  acceptors: ReadonlyMap<string, AcceptUpgrade>,
  closing: AbortSignal,
): void {
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // Node does not handle errors of this socket: without a listener, one would end the process.
    socket.on('error', () => socket.destroy());
    // As for the routes, a slash at the end makes no difference.
    const accept = acceptors.get(request.url?.split('?')[0]?.replace(/\/$/, '') ?? '');
    if (!accept) refuseUpgrade(socket, '404 Not Found');
    else if (closing.aborted) refuseUpgrade(socket, '503 Service Unavailable', 'Retry-After: 1\r\n');
    else accept(request, socket, head);
  });
}

function refuseUpgrade(socket: Duplex, status: string, headers = ''): void {
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status}\r\n${headers}Connection: close\r\nContent-Length: 0\r\n\r\n`);
}
