// Owns signing in at any door: by a credential, from an address whose failures are counted, so that guessing is slow.
import type { IncomingMessage } from 'node:http';
import proxyAddr from '@fastify/proxy-addr';
import type { Authenticator, Looks, SignedIn } from '../../domain/identity/authenticator.ts';
import { GatewayError } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/logger.ts';
import { FailedSignIns } from './failed-sign-ins.ts';

export interface SignInOptions {
  readonly authenticator: Authenticator;
  /** 0: not limited. */
  readonly failuresPerMinute: number;
  /** Whose word on a client's address is taken: so many hops, or those addresses. */
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
   * A credential that is known to be good is always taken. Raises `UNAUTHENTICATED`; `RATE_LIMITED` where too many from this address were bad;
   * `STORAGE_UNAVAILABLE` where it cannot be checked now.
   */
  async signIn(authorization: string | undefined, request: IncomingMessage): Promise<SignedIn> {
    if (this.#warnsOfProxy && request.headers['x-forwarded-for'] !== undefined) {
      this.#warnsOfProxy = false;
      this.#logger.warn({ setting: 'TRUST_PROXY' }, UNTRUSTED_PROXY);
    }
    try {
      // Without an await where none is needed: a key is looked up in memory.
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
   * What is looked at beyond the credentials that are known to be good. From an address with too many failures no unknown key is, since each costs
   * a look into the database. New tokens are, since nobody can guess a signature, unless bad ones come faster than is worth verifying.
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
