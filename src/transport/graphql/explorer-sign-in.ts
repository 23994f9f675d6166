// Owns the explorer's sign-in: whoever sees the output of the process opens the link in it, and its page gets the administrator's key, once.
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

  /** Belongs behind the explorer's address. Browsers send a fragment to no server and no proxy. */
  get fragment(): string {
    return this.#code === undefined ? '' : `#sign-in=${this.#code}`;
  }

  /** The key for a request that brings the code, directly from a page of this gateway on this machine; the code is used up by that. */
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

/** From this machine, by its own name for itself, from no page of another origin, and past no proxy that says so. */
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
