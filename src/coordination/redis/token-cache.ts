// Owns provider tokens that nodes share: the first node that needs one fetches it, the others take it from Redis, where it is sealed. Without Redis each
// node fetches its own.
import { randomUUID } from 'node:crypto';
import { abortable, delay } from '../../kernel/async.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { TokenCache, TokenRequest } from '../../kernel/token-cache.ts';
import { createMemoryTokenCache } from '../memory/token-cache.ts';
import { DELETE_IF } from './delete-if.ts';
import type { RedisLink } from './link.ts';

export interface RedisTokenCacheOptions {
  readonly link: RedisLink;
  readonly clock: Clock;
  /** Tokens are credentials, so they are sealed in Redis. `open` gives `undefined` for a token that it cannot open. */
  readonly seal: (text: string) => string;
  readonly open: (sealed: string) => string | undefined;
  readonly prefix?: string;
}

interface IssuedToken {
  readonly token: string;
  readonly expiresAtMs: number;
}

interface Turn {
  readonly lock: string;
  readonly holder: string;
  readonly signal: AbortSignal;
}

const PREFIX = 'mg:token:';
/** If a node dies while it fetches, the other nodes wait no longer than this. */
const LOCK_MS = 15_000;
const LOOK_AGAIN_MS = 50;

export function createRedisTokenCache(options: RedisTokenCacheOptions): TokenCache {
  const { link, clock, seal, open, prefix = PREFIX } = options;
  const own = createMemoryTokenCache({ clock });

  async function stored(
    key: string,
    { minLifeMs, rejected }: TokenRequest,
  ): Promise<IssuedToken | undefined> {
    const sealed = await link.command((redis) => redis.get(prefix + key));
    const text = sealed === null ? undefined : open(sealed);
    if (text === undefined) return undefined;
    const issued = JSON.parse(text) as IssuedToken;
    const alive = issued.expiresAtMs - clock.now().getTime() > minLifeMs;
    return alive && issued.token !== rejected ? issued : undefined;
  }

  async function keep(key: string, issued: IssuedToken): Promise<void> {
    const lifeMs = Math.max(1, Math.round(issued.expiresAtMs - clock.now().getTime()));
    await link.command((redis) => redis.set(prefix + key, seal(JSON.stringify(issued)), 'PX', lifeMs));
  }

  /** One node fetches at a time; the others look until the token is there, or until the lock is free for them. */
  async function storedOrTurn(
    key: string,
    request: TokenRequest,
    { lock, holder, signal }: Turn,
  ): Promise<IssuedToken | undefined> {
    for (;;) {
      const known = await stored(key, request);
      if (known) return known;
      if (await link.command((redis) => redis.set(lock, holder, 'PX', LOCK_MS, 'NX'))) return undefined;
      await delay(LOOK_AGAIN_MS, signal);
    }
  }

  async function fetchShared(key: string, request: TokenRequest, signal: AbortSignal): Promise<IssuedToken> {
    const turn = { lock: `${prefix}lock:${key}`, holder: randomUUID(), signal };
    // If Redis fails or has no token, this node fetches one itself.
    const known = await storedOrTurn(key, request, turn).catch(() => undefined);
    if (known) return known;
    // If the caller has left while Redis was being asked, no token is fetched.
    signal.throwIfAborted();
    try {
      const issued = await abortable(request.fetch(signal), signal);
      // If Redis does not take the token, this node uses it alone.
      await keep(key, issued).catch(() => {});
      return issued;
    } finally {
      // If the lock cannot be released, it expires by itself.
      await link.command((redis) => redis.eval(DELETE_IF, 1, turn.lock, turn.holder)).catch(() => {});
    }
  }

  return {
    get: (key, request) => own.get(key, { ...request, fetch: (signal) => fetchShared(key, request, signal) }),
  };
}
