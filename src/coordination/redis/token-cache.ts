// Owns provider tokens that nodes share: whoever needs one first fetches it, the others take it from Redis, sealed. Without Redis each node has its own.
import { randomUUID } from 'node:crypto';
import { abortable, delay } from '../../kernel/async.ts';
import type { Clock } from '../../kernel/clock.ts';
import { SharedStateUnavailable } from '../../kernel/errors.ts';
import type { TokenCache, TokenRequest } from '../../providers/contract/adapter.ts';
import { createMemoryTokenCache } from '../memory/token-cache.ts';
import type { RedisLink } from './link.ts';

export interface RedisTokenCacheOptions {
  readonly link: RedisLink;
  readonly clock: Clock;
  /** Tokens are credentials: they lie in Redis sealed. `open` gives `undefined` for what it cannot open. */
  readonly seal: (text: string) => string;
  readonly open: (sealed: string) => string | undefined;
  readonly prefix?: string;
}

interface IssuedToken {
  readonly token: string;
  readonly expiresAtMs: number;
}

const PREFIX = 'mg:token:';
/** A node that fetches and dies holds the others up no longer than this. */
const LOCK_MS = 15_000;
const LOOK_AGAIN_MS = 50;
const RELEASE =
  "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0";

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

  /** One node at a time; the others look until the token is there, or the lock is free. */
  async function fetchShared(key: string, request: TokenRequest, signal: AbortSignal): Promise<IssuedToken> {
    const lock = `${prefix}lock:${key}`;
    const holder = randomUUID();
    for (;;) {
      const known = await stored(key, request);
      if (known) return known;
      if (await link.command((redis) => redis.set(lock, holder, 'PX', LOCK_MS, 'NX'))) break;
      await delay(LOOK_AGAIN_MS, signal);
    }
    try {
      const issued = await abortable(request.fetch(signal), signal);
      await ignoringOutage(keep(key, issued));
      return issued;
    } finally {
      await ignoringOutage(link.command((redis) => redis.eval(RELEASE, 1, lock, holder)));
    }
  }

  return {
    get: (key, request) =>
      own.get(key, {
        ...request,
        fetch: async (signal) => {
          try {
            return await fetchShared(key, request, signal);
          } catch (error) {
            if (error instanceof SharedStateUnavailable) return request.fetch(signal);
            throw error;
          }
        },
      }),
  };
}

async function ignoringOutage(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof SharedStateUnavailable)) throw error;
  }
}
