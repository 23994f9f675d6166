// Owns what every token cache must hold to, whatever it keeps its tokens in.
import { expect, test } from 'vitest';
import { type Deferred, deferred } from '../../src/kernel/async.ts';
import type { Clock } from '../../src/kernel/clock.ts';
import type { TokenCache, TokenRequest } from '../../src/kernel/token-cache.ts';

export interface OpenedTokenCache extends AsyncDisposable {
  readonly cache: TokenCache;
}

interface Issued {
  readonly token: string;
  readonly expiresAtMs: number;
}

/** A clock that stands where it is put. */
function standingClock(): Clock & { nowMs: number } {
  const clock = {
    nowMs: 1_800_000_000_000,
    now: () => new Date(clock.nowMs),
    monotonicMs: () => clock.nowMs,
  };
  return clock;
}

export function tokenCacheContract(
  open: (clock: Clock) => OpenedTokenCache | Promise<OpenedTokenCache>,
): void {
  const setUp = async () => {
    const clock = standingClock();
    const opened = await open(clock);
    const fetches: { readonly answer: Deferred<Issued>; readonly signal: AbortSignal }[] = [];
    const ask = (over: Partial<TokenRequest> = {}, key = 'key') =>
      opened.cache.get(key, {
        minLifeMs: 60_000,
        signal: new AbortController().signal,
        fetch: (signal) => {
          const answer = deferred<Issued>();
          fetches.push({ answer, signal });
          return answer.promise;
        },
        ...over,
      });
    const issue = (token: string, lifeMs = 1_800_000) => ({ token, expiresAtMs: clock.nowMs + lifeMs });
    const fetched = async (count: number) => {
      await expect.poll(() => fetches.length).toBe(count);
      const last = fetches.at(-1);
      if (!last) throw new Error('no fetch');
      return last;
    };
    return {
      clock,
      ask,
      issue,
      fetches,
      fetched,
      [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
    };
  };

  test('a token is fetched once however many ask for it meanwhile, and kept', async () => {
    await using cache = await setUp();
    const asking = Array.from({ length: 50 }, () => cache.ask());
    (await cache.fetched(1)).answer.resolve(cache.issue('t1'));
    expect(new Set(await Promise.all(asking))).toEqual(new Set(['t1']));
    expect(await cache.ask()).toBe('t1');
    expect(cache.fetches).toHaveLength(1);
  });

  test('a token with less life than is asked for is fetched anew', async () => {
    await using cache = await setUp();
    const first = cache.ask();
    (await cache.fetched(1)).answer.resolve(cache.issue('t1', 100_000));
    await first;
    cache.clock.nowMs += 39_999;
    expect(await cache.ask()).toBe('t1');
    cache.clock.nowMs += 1;
    const second = cache.ask();
    (await cache.fetched(2)).answer.resolve(cache.issue('t2'));
    expect(await second).toBe('t2');
  });

  test('a rejected token counts as dead, and is replaced once for all who got it', async () => {
    await using cache = await setUp();
    const first = cache.ask();
    (await cache.fetched(1)).answer.resolve(cache.issue('t1'));
    await first;
    const asking = Array.from({ length: 20 }, () => cache.ask({ rejected: 't1' }));
    (await cache.fetched(2)).answer.resolve(cache.issue('t2'));
    expect(new Set(await Promise.all(asking))).toEqual(new Set(['t2']));
    expect(await cache.ask({ rejected: 't1' })).toBe('t2');
    expect(cache.fetches).toHaveLength(2);
  });

  test('a token that is asked for anew stays in use until the new one is there', async () => {
    await using cache = await setUp();
    const first = cache.ask();
    (await cache.fetched(1)).answer.resolve(cache.issue('t1'));
    await first;
    const failing = cache.ask({ minLifeMs: Number.POSITIVE_INFINITY });
    const { answer } = await cache.fetched(2);
    expect(await cache.ask()).toBe('t1');
    answer.reject(new Error('no token'));
    await expect(failing).rejects.toThrow('no token');
    expect(await cache.ask()).toBe('t1');
  });

  test('a failure to fetch a token reaches all who wait, and is not kept', async () => {
    await using cache = await setUp();
    const failing = [cache.ask(), cache.ask()];
    const fault = new Error('no token');
    (await cache.fetched(1)).answer.reject(fault);
    for (const { reason } of (await Promise.allSettled(failing)) as PromiseRejectedResult[]) {
      expect(reason).toMatchObject({ message: 'no token' });
    }
    const next = cache.ask();
    (await cache.fetched(2)).answer.resolve(cache.issue('t1'));
    expect(await next).toBe('t1');
  });

  test('tokens of different keys have nothing to do with each other', async () => {
    await using cache = await setUp();
    const one = cache.ask({}, 'one');
    (await cache.fetched(1)).answer.resolve(cache.issue('t1'));
    const other = cache.ask({}, 'other');
    (await cache.fetched(2)).answer.resolve(cache.issue('t2'));
    expect([await one, await other]).toEqual(['t1', 't2']);
  });

  test('a caller who leaves while waiting for a token harms no other; when all have left the fetch is given up', async () => {
    await using cache = await setUp();
    const [leaver, stayer] = [new AbortController(), new AbortController()];
    const left = cache.ask({ signal: leaver.signal });
    const { signal } = await cache.fetched(1);
    const stayed = cache.ask({ signal: stayer.signal });
    const reason = new Error('gone');
    leaver.abort(reason);
    await expect(left).rejects.toBe(reason);
    expect(signal.aborted).toBe(false);
    stayer.abort(reason);
    await expect(stayed).rejects.toBe(reason);
    expect(signal.aborted).toBe(true);
    const next = cache.ask();
    (await cache.fetched(2)).answer.resolve(cache.issue('t2'));
    cache.fetches[0]?.answer.resolve(cache.issue('too late'));
    expect(await next).toBe('t2');
    expect(await cache.ask()).toBe('t2');
    await expect(cache.ask({ signal: leaver.signal })).rejects.toBe(reason);
  });
}
