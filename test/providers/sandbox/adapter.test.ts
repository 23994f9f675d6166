// Holds how the sandbox behaves in time: its pace, its faults, and that it stops at once.
import { describe, expect, test } from 'vitest';
import type { StreamPart } from '../../../src/providers/contract/completions.ts';
import { createSandboxAdapter } from '../../../src/providers/sandbox/adapter.ts';
import { options, reads, request, simulatedTime, target } from './sandbox-calls.ts';

describe('pace', () => {
  test('the sandbox waits for the first token, then keeps to tokens per second', async () => {
    const { clock, delay, waits } = simulatedTime();
    const adapter = createSandboxAdapter({ clock, delay });
    const asked = options({ tokens: 6, tokensPerSecond: 100, tokensPerRead: 2, firstTokenMs: 30 });
    for await (const _read of adapter.completions.stream(asked, { signal: new AbortController().signal }));
    expect(waits).toEqual([30, 20, 20]);
  });

  test('the pace of the sandbox is hundreds of thousands of tokens a second when unbounded', async () => {
    const asked = options({ tokens: 100_000, tokensPerSecond: 0, firstTokenMs: 0 });
    const startedMs = performance.now();
    let tokens = 0;
    for await (const read of createSandboxAdapter().completions.stream(asked, {
      signal: new AbortController().signal,
    })) {
      for (const part of read) if (part.type === 'text-delta') tokens += 1;
    }
    expect(tokens).toBe(100_000);
    expect(performance.now() - startedMs).toBeLessThan(1000);
  });
});

describe('faults', () => {
  const fail = { code: 'PROVIDER_RATE_LIMITED', message: 'slow down', status: 429, retryAfterMs: 1500 };

  test('a fault of the sandbox before the first token looks like a refused request', async () => {
    await expect(reads(options({ fail }))).rejects.toMatchObject({
      code: 'PROVIDER_RATE_LIMITED',
      message: 'slow down',
      status: 429,
      retryAfterMs: 1500,
      phase: 'headers',
      transient: true,
    });
  });

  test('a fault of the sandbox in mid-stream comes after exactly the tokens asked for', async () => {
    const seen: StreamPart[] = [];
    const run = async () => {
      const asked = options({
        fail: { code: 'PROVIDER_UNAVAILABLE', afterTokens: 3, transient: false },
        tokensPerRead: 2,
      });
      const stream = createSandboxAdapter(simulatedTime()).completions.stream(asked, {
        signal: new AbortController().signal,
      });
      for await (const read of stream) seen.push(...read);
    };
    await expect(run()).rejects.toMatchObject({ phase: 'stream', transient: false, status: undefined });
    expect(seen.filter(({ type }) => type === 'text-delta')).toHaveLength(3);
  });

  test('a fault of the sandbox can be a stream that just ends', async () => {
    const parts = (await reads(options({ cutAfterTokens: 2, stallAfterTokens: 10 }))).flat();
    expect(parts.map(({ type }) => type)).toEqual(['response-start', 'text-delta', 'text-delta']);
    expect((await reads(options({ cutAfterTokens: 0 }))).flat().map(({ type }) => type)).toEqual([
      'response-start',
    ]);
  });

  test('a fault of the sandbox can be a stream that stalls until it is cancelled', async () => {
    const controller = new AbortController();
    const iterator = createSandboxAdapter()
      .completions.stream(options({ stallAfterTokens: 1, firstTokenMs: 0 }), { signal: controller.signal })
      [Symbol.asyncIterator]();
    expect((await iterator.next()).value).toHaveLength(2);
    const stalled = iterator.next();
    controller.abort();
    await expect(stalled).rejects.toBe(controller.signal.reason);
  });

  test.each([
    [{ tokens: 'many' }, 'providerOptions.tokens: '],
    [{ fail: { code: 'NOPE' } }, 'providerOptions.fail.code: '],
    [{ toolCalls: [{ name: 'a', args: {} }] }, 'providerOptions.toolCalls.0.args: '],
    [{ speed: 9 }, 'providerOptions.speed: '],
  ])(
    'a fault of the sandbox’s options themselves names the field: %j',
    async (providerOptions, beginning) => {
      await expect(reads(options(providerOptions))).rejects.toMatchObject({
        code: 'PROVIDER_INVALID_REQUEST',
        message: expect.stringContaining(beginning),
      });
    },
  );
});

describe('cancelling', () => {
  test('cancelling the sandbox ends a wait at once, with the reason that the caller gave', async () => {
    const controller = new AbortController();
    const iterator = createSandboxAdapter()
      .completions.stream(options({ firstTokenMs: 3_600_000 }), { signal: controller.signal })
      [Symbol.asyncIterator]();
    const first = iterator.next();
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(first).rejects.toBe(reason);
  });

  test('cancelling the sandbox is noticed between two reads of an unbounded stream, and before it began', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    let count = 0;
    const run = async () => {
      const asked = options({ tokens: 100_000, tokensPerSecond: 0, firstTokenMs: 0 });
      for await (const _read of createSandboxAdapter().completions.stream(asked, {
        signal: controller.signal,
      })) {
        count += 1;
        if (count === 10) controller.abort(reason);
      }
    };
    await expect(run()).rejects.toBe(reason);
    expect(count).toBe(10);
    await expect(createSandboxAdapter().health.check(target, { signal: controller.signal })).rejects.toBe(
      controller.signal.reason,
    );
  });
});

test('the models of the sandbox say in their names that they are simulated, and the check needs nothing', async () => {
  const adapter = createSandboxAdapter();
  const { signal } = new AbortController();
  await adapter.health.check(target, { signal });
  const models = (await adapter.models?.list(target, { signal })) ?? [];
  expect(models.map(({ key }) => key)).toEqual(['sandbox-text', 'sandbox-reasoning', 'sandbox-tools']);
  expect(models.every(({ displayName }) => displayName?.includes('simulated'))).toBe(true);
  expect(models.every((model) => !('traits' in model))).toBe(true);
  expect(adapter.completions.unsupported(request())).toEqual([]);
});
