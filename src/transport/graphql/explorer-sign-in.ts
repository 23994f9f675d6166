// Owns the explorer's sign-in: a person who reads the process's output opens the link in it, and that page gets the administrator's key, once.
import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';

const LOOPBACK_HOST = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i;
const LOOPBACK_ADDRESS = /^(127\.|::1$|::ffff:127\.)/;
const PROXY_HEADERS = [
  'forwarded',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-real-ip',
];
export const SIGN_IN_CODE_HEADER = 'x-sign-in-code';

export class ExplorerSignIn {
  readonly #apiKey: string;
  #code: string | undefined = randomBytes(16).toString('hex');

  constructor(apiKey: string) {
    this.#apiKey = apiKey;
  }

  /** To be added to the explorer's address. Browsers send a fragment to no server and no proxy. */
  get fragment(): string {
    return this.#code === undefined ? '' : `#sign-in=${this.#code}`;
  }

  /** Gives the key to a request that brings the code, if it comes directly from a page of this gateway on this machine; the code is then used up. */
  redeem(request: FastifyRequest): string | undefined {
    const given = request.headers[SIGN_IN_CODE_HEADER];
    if (typeof given !== 'string' || this.#code === undefined || !isDirect(request)) return undefined;
    const right = Buffer.from(this.#code);
    const said = Buffer.from(given);
    if (said.length !== right.length || !timingSafeEqual(said, right)) return undefined;
    this.#code = undefined;
    return this.#apiKey;
  }
}

/** True for a request from this machine that names it by a local name, comes from no page of another origin, and has passed no proxy that says so. */
function isDirect({ headers, socket }: FastifyRequest): boolean {
  const { host = '', origin } = headers;
  const site = headers['sec-fetch-site'];
  return (
    LOOPBACK_ADDRESS.test(socket.remoteAddress ?? '') &&
    LOOPBACK_HOST.test(host) &&
    (origin === undefined || origin === `http://${host}`) &&
    (site === undefined || site === 'same-origin') &&
    PROXY_HEADERS.every((name) => headers[name] === undefined)
  );
}
