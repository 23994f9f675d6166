// Owns a fake provider behind TLS, whose certificate comes from an authority that only the tests know.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';

const FIXTURES = new URL('../fixtures/tls/', import.meta.url);

/** The PEM certificate of the authority, to be trusted beside the system's. */
export const testAuthorityPem = readFileSync(new URL('authority.pem', FIXTURES), 'utf8');

/** Answers each path with the JSON that `answer` gives. The certificate is for `localhost` and 127.0.0.1. */
export async function startTlsUpstream(answer: (path: string) => unknown = () => ({ ok: true })) {
  const server = createServer(
    {
      key: readFileSync(new URL('server-key.pem', FIXTURES)),
      cert: readFileSync(new URL('server.pem', FIXTURES)),
    },
    (request, response) => response.end(JSON.stringify(answer(request.url ?? ''))),
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
