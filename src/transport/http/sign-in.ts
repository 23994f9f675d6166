// Owns signing in at any door: a credential is checked, and failures are counted by address, so that guessing is slow.
import type { IncomingMessage } from 'node:http';
import proxyAddr from '@fastify/proxy-addr';
import type { Authenticator, Looks, SignedIn } from '../../domain/identity/authenticator.ts';
import { GatewayError } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/logger.ts';
import { FailedSignIns } from './failed-sign-ins.ts';

export interface SignInOptions {
  readonly authenticator: Authenticator;
  /** Failed sign-ins that an address may have in a minute; 0: not limited. */
  readonly failuresPerMinute: number;
  /** Which proxies may name a client's address: so many hops before the gateway, or those at the listed addresses. */
  readonly trustProxy: false | number | string[];
  readonly logger: Logger;
}

const UNTRUSTED_PROXY =
  'A request came with "x-forwarded-for" while TRUST_PROXY is not set. If a proxy stands in front of this node, all its clients count as one address here, and the failed sign-ins of one slow the others down';

export class SignInDesk {
  readonly authenticator: Authenticator;
  readonly #failures: FailedSignIns;
  readonly #trusts: (address: string, hop: number) => boolean;
  readonly #logger: Logger;
  #warnsOfProxy: boolean;

  constructor({ authenticator, failuresPerMinute, trustProxy, logger }: SignInOptions) {
    this.authenticator = authenticator;
    this.#failures = new FailedSignIns(failuresPerMinute);
    this.#logger = logger;
    this.#warnsOfProxy = trustProxy === false;
    this.#trusts =
      typeof trustProxy === 'number'
        ? (_address, hop) => hop < trustProxy
        : trustProxy
          ? proxyAddr.compile(trustProxy)
          : () => false;
  }

  addressOf(request: IncomingMessage): string {
    return proxyAddr(request, this.#trusts);
  }

  /**
   * Signs a request in. A credential that is known to be good is always accepted. Raises `UNAUTHENTICATED`; `RATE_LIMITED` after too many failures from
   * this address; `STORAGE_UNAVAILABLE` if the credential cannot be checked now.
   */
  async signIn(authorization: string | undefined, request: IncomingMessage): Promise<SignedIn> {
    if (this.#warnsOfProxy && request.headers['x-forwarded-for'] !== undefined) {
      this.#warnsOfProxy = false;
      this.#logger.warn({ setting: 'TRUST_PROXY' }, UNTRUSTED_PROXY);
    }
    try {
      // No `await` here: a known key is found in memory, so most sign-ins need no turn of the event loop.
      const signedIn = this.authenticator.signIn(authorization, this.#looksAt(request));
      return signedIn instanceof Promise ? await signedIn : signedIn;
    } catch (error) {
      if (authorization && error instanceof GatewayError && error.code === 'UNAUTHENTICATED') {
        this.#countFailure(request);
      }
      throw error;
    }
  }

  /**
   * Which credentials are checked beyond those that are known to be good. After too many failures from an address, unknown keys are not, since each
   * costs a query. New tokens are, since signatures cannot be guessed, unless bad ones come too fast to verify.
   */
  #looksAt(request: IncomingMessage): Looks {
    if (this.#failures.none) return 'all';
    const address = this.addressOf(request);
    if (!this.#failures.isOver(address)) return 'all';
    return this.#failures.mayVerify(address) ? 'tokens' : 'known';
  }

  #countFailure(request: IncomingMessage): void {
    const retryAfterMs = this.#failures.add(this.addressOf(request));
    if (retryAfterMs === 0) return;
    const message = 'Too many failed sign-ins from this address; wait and try again';
    throw new GatewayError('RATE_LIMITED', message, { retryAfterMs });
  }
}
