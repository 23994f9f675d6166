// Owns a fake provider behind TLS, whose certificate comes from an authority that only the tests know.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';

const FIXTURES = new URL('../fixtures/tls/', import.meta.url);

/** The PEM certificate of the authority, to be trusted beside the system's. */
export const testAuthorityPem = readFileSync(new URL('authority.pem', FIXTURES), 'utf8');

/** Answers everything with `{"ok":true}`. The certificate is for `localhost` and 127.0.0.1. */
export async function startTlsUpstream() {
  const server = createServer(
    {
      key: readFileSync(new URL('server-key.pem', FIXTURES)),
      cert: readFileSync(new URL('server.pem', FIXTURES)),
    },
    (_request, response) => response.end('{"ok":true}'),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
