import { afterAll, beforeAll, expect, test } from 'vitest';
import { deferred } from '../../../src/kernel/async.ts';
import type { StreamPart } from '../../../src/providers/contract/completions.ts';
import { startTestApp, type TestApp } from '../../support/app.ts';
import { catalogueCalls } from '../../support/catalogue-calls.ts';
import { describeEachDatabase } from '../../support/databases.ts';
import { type FakeUpstream, type Reply, startFakeUpstream } from '../../support/fake-upstream.ts';
import { GARBAGE_ANSWERS, said, stopped, streamOf, used } from '../../support/garbage-answers.ts';
import { HELLO, openSocket } from '../../support/run-calls.ts';
import { scriptedAdapter } from '../../support/scripted-adapter.ts';

const STREAM = `subscription ($input: CompletionInput!) { streamCompletion(input: $input) {
  __typename seq ... on TextDelta { text } ... on ToolCallDelta { callId name argumentsText }
  ... on CompletionEnded { completion {
    id status text finishReason providerFinishReason cost usage { inputTokens outputTokens totalTokens estimated }
    toolCalls { callId name argumentsText } warnings { code } error { code message retryAfterMs }
    attempts { servedModel providerRequestId error { providerCode message } } } }
} }`;
const RUN = 'query ($id: String!) { completion(id: $id) { status text cost } }';

const MEGABYTE = 'lorem ipsum '.repeat(87_382);

describeEachDatabase('hostile answers', (kind) => {
  let app: TestApp;
  let upstream: FakeUpstream;
  let key: string;
  const replies = new Map<string, Reply>();
  const adapters = new Map<string, (signal: AbortSignal) => AsyncIterable<StreamPart[]>>();

  beforeAll(async () => {
    upstream = await startFakeUpstream(({ path }) => replies.get(path.split('/')[1] ?? '') ?? { body: '' });
    const scripted = scriptedAdapter('scripted', (request, { signal }) =>
      (adapters.get(request.model.key) as NonNullable<ReturnType<typeof adapters.get>>)(signal),
    );
    app = await startTestApp(kind, {
      environment: { BILLING: 'on', MAX_ATTEMPTS: '1', MAX_ANSWER_MB: '2', LEASE_SECONDS: '2' },
      overrides: { adapters: [scripted] },
    });
    const workspace = await app.createWorkspace();
    key = workspace.key;
    await app.graph(
      `mutation ($id: ID!) { creditAccount(input: { workspaceId: $id, amount: "1000", description: "Test", idempotencyKey: "1" }) { entry { id } } }`,
      { id: workspace.id },
    );
  });
  afterAll(() => upstream.close());

  let serial = 0;
  /** The slug of a priced instance that is served so. */
  async function served(provider: Record<string, unknown>, modelKey: string): Promise<string> {
    const calls = catalogueCalls(app, key);
    const { key: providerKey } = await calls.provider(provider);
    const config = await calls.config({ providerKey });
    const { canonicalId } = await calls.model({ providerKey, key: modelKey });
    await calls.mutate('setPrice', { canonicalId, input: '1', output: '1' });
    await calls.instance({ slug: modelKey, configId: config.id, canonicalId });
    return modelKey;
  }
  const replying = (reply: Reply) => {
    const name = `reply-${++serial}`;
    replies.set(name, reply);
    return served({ baseUrl: `${upstream.url}/${name}` }, name);
  };
  const streaming = (script: (signal: AbortSignal) => AsyncIterable<StreamPart[]>) => {
    const name = `script-${++serial}`;
    adapters.set(name, script);
    return served({ protocol: 'scripted' }, name);
  };
  async function read(model: string, over: object = {}) {
    await using socket = openSocket(app, key);
    const events: any[] = [];
    const variables = { input: { model, messages: HELLO, parameters: { maxTokens: 2_000_000 }, ...over } };
    for await (const { data, errors } of socket.client.iterate<any>({ query: STREAM, variables })) {
      if (errors) throw new Error(errors[0]?.message);
      events.push(data.streamCompletion);
    }
    const ends = events.filter(({ completion }) => completion);
    expect(ends).toHaveLength(1);
    expect(events.at(-1)).toBe(ends[0]);
    return { events, completion: ends[0].completion };
  }
  const account = async () =>
    (
      await app.graph(
        '{ account { reserved entries(first: 1) { nodes { kind amount completionId } } } }',
        {},
        key,
      )
    ).data.account;

  test.each(GARBAGE_ANSWERS)(
    'a provider that sends %s: its stream has exactly one terminal event, and the run is settled and charged',
    async (_name, reply, status) => {
      const { events, completion } = await read(await replying(reply));
      expect(completion.status).toBe(status);
      const again = await app.graph(RUN, { id: completion.id }, key);
      expect(again.data.completion).toMatchObject({ status, text: completion.text, cost: completion.cost });
      const { reserved, entries } = await account();
      expect(reserved).toBe('0');
      // What the client was shown is paid for, and nothing else.
      const shown = events.some(({ __typename }) => /^(Text|ToolCall)Delta$/.test(__typename));
      if (shown) expect(Number(completion.cost)).toBeGreaterThan(0);
      if (shown) expect(entries.nodes[0]).toMatchObject({ kind: 'CHARGE', amount: `-${completion.cost}` });
      else expect(completion.cost).toBeNull();
    },
  );

  test('an answer with a count of tokens that cannot be is not believed: the gateway counts, and says so', async () => {
    const { completion } = await read(await replying(streamOf(said('Hello world'), stopped(), used(3e9))));
    expect(completion.usage).toMatchObject({ outputTokens: 2, estimated: true });
    expect(completion.warnings).toEqual([{ code: 'USAGE_IMPLAUSIBLE' }]);
  });

  test('an answer without an end is cut at the bound, and ends with LENGTH, settled and charged', async () => {
    const left = deferred();
    const model = await streaming(async function* (signal) {
      try {
        while (!signal.aborted) yield [{ type: 'text-delta', text: MEGABYTE }];
      } finally {
        left.resolve();
      }
    });
    const { events, completion } = await read(model);
    await left.promise;
    expect(completion).toMatchObject({ status: 'FINISHED', finishReason: 'LENGTH' });
    expect(completion.warnings).toEqual([{ code: 'ANSWER_TOO_LARGE' }]);
    expect(completion.text.length).toBeGreaterThan(2_000_000);
    expect(completion.text.length).toBeLessThanOrEqual(2 * 1_048_576);
    expect(events.map((event) => event.text ?? '').join('')).toBe(completion.text);
    expect((await account()).entries.nodes[0]).toMatchObject({ amount: `-${completion.cost}` });
  });

  test('an answer that is one read of many thousand parts is taken, streamed and held back alike', async () => {
    const parts: StreamPart[] = [];
    for (let at = 0; at < 14_000; at += 1) {
      parts.push({ type: 'text-delta', text: 't' }, { type: 'reasoning-delta', text: 'r' });
    }
    const model = await streaming(async function* () {
      yield [...parts, { type: 'finish', reason: 'stop' }];
    });
    expect((await read(model)).completion).toMatchObject({ status: 'FINISHED', text: 't'.repeat(14_000) });
    const { data } = await app.graph(
      'mutation ($input: CompletionInput!) { complete(input: $input) { completion { text } } }',
      { input: { model, messages: HELLO, parameters: { maxTokens: 100_000 } } },
      key,
    );
    expect(data.complete.completion.text).toHaveLength(14_000);
  });

  test.each([
    ['throws what is no error', () => Promise.reject('just a text with \u0000')],
    ['gives parts of an unknown kind', async () => [{ type: 'video-delta' } as unknown as StreamPart]],
    ['gives no text', async () => [{ type: 'text-delta' } as unknown as StreamPart]],
  ])('a run whose adapter %s ends with a typed fault', async (_name, next) => {
    const model = await streaming(async function* () {
      yield await next();
    });
    const { completion } = await read(model);
    expect(completion).toMatchObject({ status: 'FAILED', error: { code: 'PROVIDER_PROTOCOL' } });
  });
});
