// Owns what every limiter must hold to, wherever it counts. Real time: windows are short, and waited out.
import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Limiter, LimitWant } from '../../src/coordination/contract.ts';
import { delay } from '../../src/kernel/async.ts';

/** Two that count together: two nodes, or the same one twice. */
export interface OpenedLimiters extends AsyncDisposable {
  readonly one: Limiter;
  readonly other: Limiter;
}

const MINUTE_MS = 60_000;

export function limiterContract(open: () => OpenedLimiters | Promise<OpenedLimiters>): void {
  const want = (over: Partial<LimitWant> = {}): LimitWant => ({
    key: 'requests',
    windowMs: MINUTE_MS,
    limit: 3,
    amount: 1,
    ...over,
  });
  const used = (wants: readonly LimitWant[], amount: number) =>
    wants.map((each) => ({ ...each, used: amount }));

  test('a limiter grants exactly as much as there is, whoever asks and however many at once', async () => {
    await using limiters = await open();
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        (index % 2 === 0 ? limiters.one : limiters.other).take(randomUUID(), [want({ limit: 20 })]),
      ),
    );
    const granted = answers.filter(({ refused }) => refused === null);
    expect(granted).toHaveLength(20);
    expect(granted.map(({ remaining }) => remaining[0]).sort((a = 0, b = 0) => b - a)).toEqual(
      Array.from({ length: 20 }, (_, index) => 19 - index),
    );
    const [refused] = answers.filter((answer) => answer.refused !== null);
    expect(refused).toMatchObject({ refused: 0, remaining: [0] });
    expect(refused?.retryAfterMs).toBeGreaterThan(MINUTE_MS / 2);
    expect(refused?.retryAfterMs).toBeLessThanOrEqual(MINUTE_MS + MINUTE_MS / 60);
  });

  test('a limiter takes all that a run asks for, or nothing, and names what does not fit', async () => {
    await using limiters = await open();
    const wants = (tokens: number) => [want(), want({ key: 'tokens', limit: 100, amount: tokens })];
    expect(await limiters.one.take('a', wants(80))).toMatchObject({ refused: null, remaining: [2, 20] });
    expect(await limiters.other.take('b', wants(30))).toMatchObject({ refused: 1, remaining: [2, 20] });
    expect(await limiters.other.take('c', wants(20))).toMatchObject({ refused: null, remaining: [1, 0] });
  });

  test('a limiter counts what was used in place of what was taken', async () => {
    await using limiters = await open();
    const tokens = want({ limit: 100, amount: 50 });
    await limiters.one.take('less', [tokens]);
    limiters.one.settle('less', used([tokens], 10));
    await eventually(async () => {
      const answer = await limiters.other.take(randomUUID(), [{ ...tokens, amount: 0 }]);
      expect(answer.remaining).toEqual([90]);
    });
    await limiters.other.take('more', [tokens]);
    limiters.other.settle('more', used([tokens], 85));
    await eventually(async () => {
      const answer = await limiters.one.take(randomUUID(), [{ ...tokens, amount: 0 }]);
      expect(answer.remaining).toEqual([5]);
    });
    // A run is settled once.
    limiters.other.settle('more', used([tokens], 0));
    await delay(20);
    expect((await limiters.one.take(randomUUID(), [{ ...tokens, amount: 0 }])).remaining).toEqual([5]);
  });

  test('a limiter gives places to so many at once, and frees them when a run is over', async () => {
    await using limiters = await open();
    const place = want({ key: 'places', windowMs: null, limit: 2 });
    expect((await limiters.one.take('a', [place])).refused).toBeNull();
    expect((await limiters.other.take('b', [place])).refused).toBeNull();
    expect(await limiters.other.take('c', [place])).toMatchObject({
      refused: 0,
      retryAfterMs: 0,
      remaining: [0],
    });
    limiters.one.settle('a', used([place], 1));
    await eventually(async () => expect((await limiters.other.take('c', [place])).refused).toBeNull());
  });

  test('a limiter frees what was taken once it has left the window, and never before', async () => {
    await using limiters = await open();
    const windowMs = 600;
    const short = want({ windowMs, limit: 2, amount: 2 });
    const startedAt = performance.now();
    expect((await limiters.one.take('a', [short])).refused).toBeNull();
    const refused = await limiters.other.take('b', [short]);
    expect(refused.refused).toBe(0);
    expect(refused.retryAfterMs).toBeLessThanOrEqual(windowMs + windowMs / 60 + 1);
    await eventually(async () => expect((await limiters.other.take('b', [short])).refused).toBeNull());
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(windowMs - 5);
  });

  test('a limiter says of what never fits that waiting does not help', async () => {
    await using limiters = await open();
    expect(await limiters.one.take('a', [want({ amount: 4 })])).toMatchObject({
      refused: 0,
      retryAfterMs: 0,
    });
  });
}

/** What is written behind is there within moments. */
async function eventually(check: () => Promise<void>): Promise<void> {
  for (let look = 0; ; look += 1) {
    try {
      await check();
      return;
    } catch (error) {
      if (look >= 200) throw error;
      await delay(10);
    }
  }
}
