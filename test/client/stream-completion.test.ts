import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import WebSocket from 'ws';
import {
  type CompletionEvent,
  completionEvents,
  streamCompletion,
} from '../../src/client/stream-completion.ts';
import { delay } from '../../src/kernel/async.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { startCuttingProxy } from '../support/cutting-proxy.ts';
import { collect, sandboxInput } from '../support/run-calls.ts';
import { sandboxCatalogue } from '../support/sandbox-catalogue.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

describe.each(['ws', 'sse'] as const)('the client over %s', (door) => {
  let app: TestApp;
  let key: string;

  beforeAll(async () => {
    app = await startTestApp('embedded', {
      environment: { SANDBOX: 'on' },
      overrides: { catalogueData: await sandboxCatalogue() },
    });
    key = app.adminKey;
  });

  const options = (url = app.url) => ({
    url: `${url}/graphql`,
    key,
    door,
    ...(door === 'ws' ? { webSocketImpl: WebSocket } : {}),
  });
  const textOf = (events: readonly CompletionEvent[]) =>
    events.map((event) => (event.__typename === 'TextDelta' ? event.text : '')).join('');
  const runs = async () =>
    (await app.graph('{ completions(first: 1) { totalCount } }')).data.completions.totalCount;

  test('the client streams a completion to its terminal event, typed from the schema', async () => {
    const events = await collect(
      streamCompletion({ ...options(), input: sandboxInput({ text: 'All is well.' }) }),
    );
    expect(events[0]?.__typename).toBe('CompletionStarted');
    expect(textOf(events)).toBe('All is well.');
    const end = events.at(-1);
    expect(end?.__typename === 'CompletionFinished' && end.completion.usage.outputTokens).toBeGreaterThan(0);
  });

  test('the client comes back by itself through cut connections: one run, each event once', async () => {
    const proxy = await startCuttingProxy(app.url);
    const before = await runs();
    const events: CompletionEvent[] = [];
    const input = sandboxInput({ tokens: 200, tokensPerSecond: 200 });
    for await (const event of streamCompletion({ ...options(proxy.url), input })) {
      events.push(event);
      if ([3, 25, 60, 100].includes(events.length)) proxy.cut();
    }
    await proxy.close();
    expect(proxy.accepted).toBeGreaterThan(3);
    expect(await runs()).toBe(before + 1);
    let last = 0;
    for (const event of events) {
      expect('fromSeq' in event ? event.fromSeq : event.seq).toBe(last + 1);
      last = event.seq;
    }
    const end = events.at(-1);
    expect(end?.__typename === 'CompletionFinished' && end.completion.text).toBe(textOf(events));
    const id = events[0]?.completionId ?? '';
    const rest = await collect(completionEvents({ ...options(), id, after: last - 1 }));
    expect(rest).toHaveLength(1);
    expect(await collect(completionEvents({ ...options(), id, after: last }))).toEqual([]);
  });

  test('the client takes a connection that says nothing for lost, however it fell silent', async () => {
    const proxy = await startTcpProxy(Number(new URL(app.url).port));
    onTestFinished(() => proxy[Symbol.asyncDispose]());
    const url = `http://127.0.0.1:${proxy.port}`;
    const before = await runs();
    const events: CompletionEvent[] = [];
    const input = sandboxInput({ tokens: 100, tokensPerSecond: 100 });
    for await (const event of streamCompletion({ ...options(url), input, silenceMs: 500 })) {
      events.push(event);
      if (events.length !== 5) continue;
      // What is open hears no more, and a new connection nothing at all.
      proxy.delay(60_000);
      setTimeout(() => proxy.delay(0), 1_200);
    }
    expect(await runs()).toBe(before + 1);
    const end = events.at(-1);
    expect(end?.__typename === 'CompletionFinished' && end.completion.text).toBe(textOf(events));
  });

  test('the client tries again after a silence that was longer than its patience, and leaves a silent connection at once', async () => {
    const proxy = await startTcpProxy(Number(new URL(app.url).port));
    onTestFinished(() => proxy[Symbol.asyncDispose]());
    const given = { ...options(`http://127.0.0.1:${proxy.port}`), input: sandboxInput({ text: 'All.' }) };
    proxy.delay(60_000);
    setTimeout(() => proxy.delay(0), 500);
    expect(textOf(await collect(streamCompletion({ ...given, silenceMs: 1_000, patienceMs: 300 })))).toBe(
      'All.',
    );
    proxy.delay(60_000);
    expect(await collect(streamCompletion({ ...given, signal: AbortSignal.timeout(300) }))).toEqual([]);
  });

  test('the client lets its caller take longer over an event than a connection may be silent', async () => {
    const proxy = await startCuttingProxy(app.url);
    const input = sandboxInput({ tokens: 10 });
    const events: CompletionEvent[] = [];
    for await (const event of streamCompletion({ ...options(proxy.url), input, silenceMs: 400 })) {
      events.push(event);
      if (events.length < 3) await delay(900);
    }
    await proxy.close();
    expect(events.at(-1)?.__typename).toBe('CompletionFinished');
    expect(proxy.accepted).toBe(1);
  });

  test('the client keeps a connection whose run says nothing for long', async () => {
    const proxy = await startCuttingProxy(app.url);
    const input = sandboxInput({ text: 'At last.', firstTokenMs: 2_000 });
    const events = await collect(
      streamCompletion({ ...options(proxy.url), input, silenceMs: door === 'ws' ? 600 : 13_000 }),
    );
    await proxy.close();
    expect(textOf(events)).toBe('At last.');
    expect(proxy.accepted).toBe(1);
  });

  test('the client counts its patience from the loss of a connection, not from the last event', async () => {
    const proxy = await startCuttingProxy(app.url);
    const input = sandboxInput({ text: 'At last.', firstTokenMs: 6_500 });
    setTimeout(() => proxy.cut(), 5_700);
    const events = await collect(streamCompletion({ ...options(proxy.url), input, patienceMs: 700 }));
    await proxy.close();
    expect(textOf(events)).toBe('At last.');
    expect(proxy.accepted).toBe(2);
  });

  test('the client leaves tool calls out until the run has finished, unless their pieces are asked for', async () => {
    const input = sandboxInput(
      { toolCalls: [{ name: 'look_up', arguments: { word: 'graph' } }] },
      { tools: [{ name: 'look_up', parameters: { type: 'object' } }] },
    );
    const events = await collect(streamCompletion({ ...options(), input }));
    expect(events.some(({ __typename }) => __typename === 'ToolCallDelta')).toBe(false);
    const end = events.at(-1);
    expect(end && 'completion' in end ? end.completion.toolCalls : []).toMatchObject([{ name: 'look_up' }]);
    const pieces = await collect(streamCompletion({ ...options(), input, toolCallDeltas: true }));
    expect(pieces.some(({ __typename }) => __typename === 'ToolCallDelta')).toBe(true);
  });

  test('the client raises the gateway’s refusal as it is, and does not ask again', async () => {
    const refused = collect(
      streamCompletion({ ...options(), input: { ...sandboxInput(), model: 'nothing-here' } }),
    );
    await expect(refused).rejects.toMatchObject({ name: 'ModelgraphError', code: 'MODEL_NOT_FOUND' });
    const unknown = collect(streamCompletion({ ...options(), key: 'mg_wrong', input: sandboxInput() }));
    await expect(unknown).rejects.toMatchObject({ name: 'ModelgraphError', code: 'UNAUTHENTICATED' });
  });

  test('the client gives up when nothing can be reached for as long as it was told to try', async () => {
    const lost = collect(
      streamCompletion({ ...options('http://127.0.0.1:9'), input: sandboxInput(), patienceMs: 300 }),
    );
    await expect(lost).rejects.toMatchObject({ code: 'UNREACHABLE' });
  });

  test('the client leaves when its signal says so, and the run goes on', async () => {
    const stop = new AbortController();
    const input = sandboxInput({ tokens: 60, tokensPerSecond: 100 });
    const seen: CompletionEvent[] = [];
    for await (const event of streamCompletion({ ...options(), input, signal: stop.signal })) {
      seen.push(event);
      if (seen.length === 5) stop.abort();
    }
    expect(seen.at(-1)?.__typename).toBe('TextDelta');
    const rest = await collect(
      completionEvents({ ...options(), id: seen[0]?.completionId ?? '', after: seen.at(-1)?.seq ?? 0 }),
    );
    expect(rest.at(-1)?.__typename).toBe('CompletionFinished');
  });
});

describe('client over sse', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startTestApp('embedded', {
      environment: { SANDBOX: 'on' },
      overrides: { catalogueData: await sandboxCatalogue() },
    });
  });

  const draining = { message: 'Shutting down', extensions: { code: 'NODE_DRAINING', retryAfterMs: 600 } };
  test.each([
    ['the gateway', { errors: [draining] }, {}],
    ['a proxy', 'busy', { 'retry-after': '1' }],
  ])(
    'the client comes back when a 503 told it to and not before, as %s says',
    async (_who, body, headers) => {
      const askedAt: number[] = [];
      const stream = streamCompletion({
        url: `${app.url}/graphql`,
        key: app.adminKey,
        door: 'sse',
        input: sandboxInput({ text: 'At last.' }),
        fetch: async (...call) => {
          askedAt.push(performance.now());
          return askedAt.length === 1 ? Response.json(body, { status: 503, headers }) : fetch(...call);
        },
      });
      expect((await collect(stream)).at(-1)?.__typename).toBe('CompletionFinished');
      expect(askedAt).toHaveLength(2);
      expect((askedAt[1] ?? 0) - (askedAt[0] ?? 0)).toBeGreaterThanOrEqual(599);
    },
  );
});

test('the client says so where there is no WebSocket', async () => {
  vi.stubGlobal('WebSocket', undefined);
  onTestFinished(() => void vi.unstubAllGlobals());
  const stream = streamCompletion({ url: 'http://127.0.0.1:9/graphql', key: 'k', input: sandboxInput() });
  await expect(collect(stream)).rejects.toThrow('WebSocket implementation missing');
});
