// Owns signing in at any door: by a credential, from an address whose failures are counted, so that guessing is slow.
import type { IncomingMessage } from 'node:http';
import proxyAddr from '@fastify/proxy-addr';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import type { Authenticator, SignedIn } from '../../domain/identity/authenticator.ts';
import { GatewayError } from '../../kernel/errors.ts';

export interface SignInOptions {
  readonly authenticator: Authenticator;
  /** 0: not limited. */
  readonly failuresPerMinute: number;
  /** Whose word on a client's address is taken: so many hops, or those addresses. */
  readonly trustProxy: false | number | string[];
}

const WINDOW_S = 60;

export class SignInDesk {
  readonly authenticator: Authenticator;
  readonly #failures: RateLimiterMemory | undefined;
  /** Until when, by address. */
  readonly #blocked = new Map<string, number>();
  readonly #trusts: (address: string, hop: number) => boolean;

  constructor({ authenticator, failuresPerMinute, trustProxy }: SignInOptions) {
    this.authenticator = authenticator;
    this.#failures =
      failuresPerMinute === 0
        ? undefined
        : new RateLimiterMemory({ points: failuresPerMinute, duration: WINDOW_S });
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
    try {
      // Without an await where none is needed: a key is looked up in memory.
      const signedIn = this.authenticator.signIn(authorization, this.#mayGuess(request));
      return signedIn instanceof Promise ? await signedIn : signedIn;
    } catch (error) {
      if (authorization && error instanceof GatewayError && error.code === 'UNAUTHENTICATED') {
        await this.#countFailure(request);
      }
      throw error;
    }
  }

  /** Whether a credential that was not seen before is looked at: a signature costs more than a look-up. */
  #mayGuess(request: IncomingMessage): boolean {
    if (!this.#failures || this.#blocked.size === 0) return true;
    return (this.#blocked.get(this.addressOf(request)) ?? 0) <= Date.now();
  }

  async #countFailure(request: IncomingMessage): Promise<void> {
    if (!this.#failures) return;
    const address = this.addressOf(request);
    try {
      await this.#failures.consume(address);
    } catch (over) {
      const { msBeforeNext = WINDOW_S * 1_000 } = over as { msBeforeNext?: number };
      this.#block(address, msBeforeNext);
      throw new GatewayError(
        'RATE_LIMITED',
        'Too many failed sign-ins from this address; wait and try again',
        {
          retryAfterMs: msBeforeNext,
        },
      );
    }
  }

  #block(address: string, ms: number): void {
    const now = Date.now();
    for (const [other, until] of this.#blocked) if (until <= now) this.#blocked.delete(other);
    this.#blocked.set(address, now + ms);
  }
}
