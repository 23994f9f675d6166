import { beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../../support/app.ts';
import { type CatalogueCalls, catalogueCalls } from '../../support/catalogue-calls.ts';
import { describeEachDatabase } from '../../support/databases.ts';
import { type FakeUpstream, type Reply, startFakeUpstream } from '../../support/fake-upstream.ts';
import { HELLO, openSocket } from '../../support/run-calls.ts';

const COMPLETE = `mutation ($input: CompletionInput!) { complete(input: $input) { completion {
  status text finishReason explanation cost usage { inputTokens outputTokens estimated }
  instance { slug } attempts { outcome absorbed firstTokenMs durationMs error { code status message retryAfterMs } }
} } }`;
const STREAM = `subscription ($input: CompletionInput!) { streamCompletion(input: $input) {
  __typename seq ... on TextDelta { text }
  ... on CompletionRerouted { from to reason discard }
  ... on CompletionEnded { completion { status text error { code message } explanation usage { outputTokens } attempts { outcome absorbed } } }
} }`;

const chunk = (choice: object) =>
  `data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', model: 'served', choices: [{ index: 0, ...choice }] })}\n\n`;
const said = (text: string) => chunk({ delta: { content: text } });
const END = `${chunk({ delta: {}, finish_reason: 'stop' })}data: ${JSON.stringify({ id: 'c1', choices: [], usage: { prompt_tokens: 7, completion_tokens: 3 } })}\n\n`;
const EVENT_STREAM = { headers: { 'content-type': 'text/event-stream' } };
const whole = (text: string): Reply => ({ ...EVENT_STREAM, body: `${said(text)}${END}data: [DONE]\n\n` });
const error = (status: number, message = 'No', headers: Record<string, string> = {}): Reply => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify({ error: { message } }),
});
const GOOD = whole('All of it');
const cutAfter = (text: string): Reply => {
  const body = said(text) + said(' and more') + END;
  return { ...EVENT_STREAM, body, fault: { cutAfterBytes: said(text).length } };
};
const stalledAfter = (text: string): Reply => ({
  ...cutAfter(text),
  fault: { stallAfterBytes: said(text).length },
});
const malformedAfter = (text: string): Reply => ({
  ...EVENT_STREAM,
  body: [
    said(text),
    'data: {"choices":[{"index":0,"delta":{"content":" lo\n\n',
    said('st'),
    END,
    'data: [DONE]\n\n',
  ],
});
/** Ends without a finish reason. */
const unfinished = (text: string): Reply => ({ ...EVENT_STREAM, body: said(text) });

type Script = readonly Reply[];

describeEachDatabase('faults of providers', (kind) => {
  let app: TestApp;
  let calls: CatalogueCalls;
  let key: string;
  let upstream: FakeUpstream;
  const scripts = new Map<string, Reply[]>();
  const served = new Map<string, number[]>();

  beforeAll(async () => {
    // Backoff without chance, and short; the limits on time are the instances' own.
    app = await startTestApp(kind, {
      environment: { CIRCUIT_OPEN_MS: '300' },
      overrides: { random: () => 0.1 },
    });
    ({ key } = await app.createWorkspace());
    calls = catalogueCalls(app, key);
    upstream = await startFakeUpstream(({ path }) => {
      const name = path.split('/')[1] ?? '';
      served.set(name, [...(served.get(name) ?? []), performance.now()]);
      const script = scripts.get(name) ?? [];
      // The last reply of a script is given for ever.
      return (script.length > 1 ? script.shift() : script[0]) ?? error(500, 'no script');
    });
    return () => upstream.close();
  });

  let serial = 0;
  /** A tag with an instance for each script, in order of priority, each on a provider and a config of its own. */
  async function scenario(...given: Script[]) {
    const tag = `t${++serial}`;
    const slugs: string[] = [];
    for (const [index, script] of given.entries()) {
      const name = `${tag}-${index}`;
      scripts.set(name, [...script]);
      const provider = await calls.provider({ baseUrl: `${upstream.url}/${name}` });
      const config = await calls.config({ providerKey: provider.key });
      const model = await calls.model({ providerKey: provider.key });
      await calls.instance({
        slug: name,
        configId: config.id,
        canonicalId: model.canonicalId,
        tags: [tag],
        priority: 20 - index * 5,
        timeLimits: { firstTokenMs: 400, betweenTokensMs: 400 },
      });
      slugs.push(name);
    }
    return {
      model: `tag:${tag}`,
      slugs,
      hits: (index: number) => served.get(slugs[index] ?? '')?.length ?? 0,
    };
  }
  const ask = async (model: string, routing: object = {}) => {
    const begun = performance.now();
    const { data, errors } = await calls.run(COMPLETE, { input: { model, messages: HELLO, routing } });
    const ms = performance.now() - begun;
    return { completion: data?.complete.completion, error: errors?.[0], ms };
  };
  const stream = async (model: string, routing: object = {}) => {
    await using socket = openSocket(app, key);
    const events: any[] = [];
    const input = { model, messages: HELLO, routing };
    for await (const { data } of socket.client.iterate<any>({ query: STREAM, variables: { input } })) {
      if (data) events.push(data.streamCompletion);
    }
    return events;
  };

  test.each([
    [
      '429 with a Retry-After within patience, once',
      [error(429, 'Slow down', { 'retry-after': '1' }), GOOD],
      0,
      2,
      1_000,
    ],
    ['429 without Retry-After, once', [error(429), GOOD], 0, 2, 0],
    ['500 once', [error(500), GOOD], 0, 2, 0],
    ['502 once', [error(502), GOOD], 0, 2, 0],
    ['529 once', [error(529), GOOD], 0, 2, 0],
    ['529 for ever', [error(529)], 1, 2, 0],
    ['408 once', [error(408), GOOD], 0, 2, 0],
    ['a reset before headers', [{ body: '', fault: 'reset-before-headers' } as Reply, GOOD], 0, 2, 0],
    ['503 for ever', [error(503)], 1, 2, 0],
    ['429 for ever, without Retry-After', [error(429)], 1, 2, 0],
    ['429 with a Retry-After beyond patience', [error(429, 'Later', { 'retry-after': '60' })], 1, 1, 0],
    ['401', [error(401, 'Bad key')], 1, 1, 0],
    ['402', [error(402, 'No money')], 1, 1, 0],
    ['403', [error(403, 'Not you')], 1, 1, 0],
    ['404', [error(404, 'No such model')], 1, 1, 0],
    ['504', [error(504)], 1, 1, 0],
    ['accepted and silent', [{ body: '', fault: 'silent' } as Reply], 1, 1, 400],
    [
      'headers, then silence',
      [{ ...EVENT_STREAM, body: '', fault: 'silent-after-headers' } as Reply],
      1,
      1,
      400,
    ],
    ['a cut in mid-answer', [cutAfter('Half')], 1, 1, 0],
    ['a stall in mid-answer', [stalledAfter('Half')], 1, 1, 400],
    ['a malformed chunk', [malformedAfter('Half')], 1, 1, 0],
    ['an end without a finish', [unfinished('Half')], 1, 1, 0],
    [
      'an error event amid the stream',
      [{ ...EVENT_STREAM, body: `${said('Half')}data: {"error":{"message":"Overloaded","code":503}}\n\n` }],
      1,
      1,
      0,
    ],
    [
      'a page of HTML',
      [{ headers: { 'content-type': 'text/html' }, body: '<html><title>Maintenance</title></html>' }],
      1,
      1,
      0,
    ],
    ['a context that overflows', [error(400, "This model's maximum context length is 10 tokens")], 1, 1, 0],
  ] as const)(
    'a fault that passes leaves the answer whole, the waits honoured and the attempts counted: %s',
    async (_name, script, answering, hits, waitedMs) => {
      const { model, slugs, hits: hitsOf } = await scenario(script as Script, [GOOD]);
      const { completion, ms } = await ask(model);
      expect(completion).toMatchObject({
        status: 'FINISHED',
        text: 'All of it',
        instance: { slug: slugs[answering] },
      });
      expect(hitsOf(0)).toBe(hits);
      expect(completion.attempts).toHaveLength(hits + answering);
      expect(
        completion.attempts.slice(0, -1).every((each: any) => each.outcome === 'FAILED' && each.absorbed),
      ).toBe(true);
      // What failed is no completion: the usage is that of the answer.
      expect(completion.usage).toEqual({ inputTokens: 7, outputTokens: 3, estimated: false });
      expect(ms).toBeGreaterThanOrEqual(waitedMs);
      expect(ms).toBeLessThan(waitedMs + 3_000);
      // And the gateway is as well as before.
      expect((await ask(slugs[1] as string)).completion.text).toBe('All of it');
    },
  );

  test.each([
    ['a 400', error(400, 'messages: wrong'), 'PROVIDER_INVALID_REQUEST', 'messages: wrong'],
    [
      'a content filter',
      {
        ...error(400),
        body: JSON.stringify({ error: { code: 'content_filter', message: 'The prompt was filtered' } }),
      },
      'PROVIDER_CONTENT_FILTERED',
      'The prompt was filtered',
    ],
  ] as const)(
    'the fault %s ends the run with the provider’s reason, and goes nowhere',
    async (_name, reply, code, words) => {
      const { model, hits } = await scenario([reply], [GOOD]);
      const { error: told } = await ask(model);
      expect(told).toMatchObject({ message: expect.stringContaining(words), extensions: { code } });
      expect([hits(0), hits(1)]).toEqual([1, 0]);
    },
  );

  test('when all providers fail the first meaningful fault is told, with every attempt, in bounded time', async () => {
    const { model, hits } = await scenario(
      [error(503, 'The first one is down')],
      [error(400, 'prefill is not supported')],
      [GOOD],
    );
    const { error: told, ms } = await ask(model);
    expect(told).toMatchObject({
      message: expect.stringContaining('The first one is down'),
      extensions: { code: 'PROVIDER_UNAVAILABLE', completionId: expect.any(String) },
    });
    expect(told?.extensions.attempts).toHaveLength(3);
    expect([hits(0), hits(1), hits(2)]).toEqual([2, 1, 0]);
    expect(ms).toBeLessThan(3_000);
  });

  test('a single provider that is down for ever is asked a handful of times and told as it is', async () => {
    const { slugs, hits } = await scenario([error(503, 'Down')]);
    const { error: told } = await ask(slugs[0] as string);
    expect(told?.extensions).toMatchObject({ code: 'PROVIDER_UNAVAILABLE' });
    expect(hits(0)).toBe(3);
  });

  test('a wait that the provider asks for beyond patience is told to the caller', async () => {
    const { slugs, hits } = await scenario([error(429, 'Later', { 'retry-after': '60' })]);
    const { error: told } = await ask(slugs[0] as string);
    expect(told?.extensions).toMatchObject({ code: 'PROVIDER_RATE_LIMITED', retryAfterMs: 60_000 });
    expect(hits(0)).toBe(1);
  });

  test('the caller of a completion bounds attempts, patience and time', async () => {
    const all = await scenario([error(503)], [error(503)], [error(503)]);
    expect((await ask(all.model, { maxAttempts: 4 })).error?.extensions.attempts).toHaveLength(4);
    const single = await scenario([error(503)], [GOOD]);
    expect((await ask(single.model, { maxAttemptsPerInstance: 1 })).completion.attempts).toHaveLength(2);
    const patient = await scenario([error(429, 'Wait', { 'retry-after': '1' }), GOOD]);
    expect((await ask(patient.slugs[0] as string, { patienceMs: 500 })).error?.extensions.code).toBe(
      'PROVIDER_RATE_LIMITED',
    );
    const timed = await scenario(
      [{ body: '', fault: 'silent' } as Reply],
      [{ body: '', fault: 'silent' } as Reply],
      [GOOD],
    );
    const { error: told, ms } = await ask(timed.model, { totalMs: 500 });
    expect(told?.extensions.code).toBe('PROVIDER_TIMEOUT');
    expect(ms).toBeLessThan(1_500);
  });

  test('an instance’s own policy switches retries off', async () => {
    const { slugs, hits } = await scenario([error(503), GOOD]);
    const found = await calls.run('query ($slug: String!) { modelInstance(slug: $slug) { id version } }', {
      slug: slugs[0],
    });
    const { id, version } = found.data.modelInstance;
    const changed = await calls.run(
      'mutation ($input: UpdateModelInstanceInput!) { updateModelInstance(input: $input) { modelInstance { retryPolicy { maxAttempts circuitBreaker } } userErrors { message } } }',
      { input: { id, version, retryPolicy: { maxAttempts: 1 } } },
    );
    expect(changed.data.updateModelInstance).toEqual({
      modelInstance: { retryPolicy: { maxAttempts: 1, circuitBreaker: null } },
      userErrors: [],
    });
    expect((await ask(slugs[0] as string)).error?.extensions.code).toBe('PROVIDER_UNAVAILABLE');
    expect(hits(0)).toBe(1);
  });

  test('a bad key marks its config unhealthy, is tried after others from then on, and the mark goes when it works again', async () => {
    const { model, slugs, hits } = await scenario([error(401, 'Bad key'), GOOD], [GOOD]);
    expect((await ask(model)).completion.instance.slug).toBe(slugs[1]);
    const health = async () =>
      (
        await calls.run(
          'query ($slug: String!) { modelInstance(slug: $slug) { availability { state code } config { health { state fault errorMessage } } } }',
          { slug: slugs[0] },
        )
      ).data.modelInstance;
    await expect.poll(health).toMatchObject({
      availability: { state: 'UNAVAILABLE', code: 'BAD_CREDENTIAL' },
      config: {
        health: {
          state: 'UNHEALTHY',
          fault: 'BAD_CREDENTIAL',
          errorMessage: expect.stringContaining('Bad key'),
        },
      },
    });
    expect((await ask(model)).completion.attempts).toHaveLength(1);
    expect(hits(0)).toBe(1);
    expect((await ask(slugs[0] as string)).completion.text).toBe('All of it');
    await expect.poll(health).toMatchObject({ availability: { state: 'CALLABLE' } });
  });

  test('of three instances of falling priority under one tag the first two fail in turn, the answer comes from the third, and it reads like a sentence', async () => {
    const { model, slugs } = await scenario(
      [error(503, 'Overloaded')],
      [{ body: '', fault: 'silent' } as Reply],
      [GOOD],
    );
    const { completion } = await ask(model, { maxAttemptsPerInstance: 1 });
    expect(completion.text).toBe('All of it');
    expect(completion.explanation).toBe(
      `"${model}" was answered by "${slugs[2]}" at the third attempt: "${slugs[0]}" failed (PROVIDER_UNAVAILABLE 503: Overloaded), "${slugs[1]}" failed (PROVIDER_TIMEOUT: No first token within 400 ms).`,
    );
  });

  test('a stream that breaks in mid-answer begins anew on the next instance, and the reader is told to discard', async () => {
    const { model, slugs } = await scenario([cutAfter('Half')], [GOOD]);
    const events = await stream(model);
    expect(events.map(({ __typename }) => __typename)).toEqual([
      'CompletionStarted',
      'TextDelta',
      'CompletionRerouted',
      'TextDelta',
      'CompletionFinished',
    ]);
    expect(events.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
    expect(events[2]).toMatchObject({
      from: slugs[0],
      to: slugs[1],
      discard: true,
      reason: expect.stringContaining('PROVIDER_'),
    });
    expect(events[4].completion).toMatchObject({ status: 'FINISHED', text: 'All of it' });
  });

  test('a stream whose only instance breaks is begun anew there', async () => {
    const { slugs, hits } = await scenario([cutAfter('Half'), GOOD]);
    const events = await stream(slugs[0] as string);
    expect(events.at(-1).completion.text).toBe('All of it');
    expect(events.some(({ __typename }) => __typename === 'CompletionRerouted')).toBe(true);
    expect(hits(0)).toBe(2);
  });

  test('a stream that commits only when complete shows nothing of what failed', async () => {
    const { model } = await scenario([cutAfter('Half')], [GOOD]);
    const events = await stream(model, { commit: 'COMPLETE' });
    expect(events.map(({ __typename }) => __typename)).toEqual([
      'CompletionStarted',
      'TextDelta',
      'CompletionFinished',
    ]);
    expect(events[1].text).toBe('All of it');
  });

  test('a caller who wants to know of faults gets the fault and what was produced, and pays for that alone', async () => {
    const { model, hits } = await scenario([cutAfter('Half')], [GOOD]);
    const events = await stream(model, { onStreamFault: 'FAIL' });
    const { __typename, completion } = events.at(-1);
    expect(__typename).toBe('CompletionFailed');
    expect(completion).toMatchObject({
      status: 'FAILED',
      text: 'Half',
      attempts: [{ outcome: 'FAILED', absorbed: false }],
    });
    expect(completion.usage.outputTokens).toBeGreaterThan(0);
    expect(hits(1)).toBe(0);
  });

  test('a primary instance that is down for a while is left alone, and used again within moments of its return', async () => {
    const { model, slugs, hits } = await scenario([error(503, 'Down')], [GOOD]);
    const once = { maxAttemptsPerInstance: 1 };
    for (let request = 0; request < 5; request += 1) {
      expect((await ask(model, once)).completion.instance.slug).toBe(slugs[1]);
    }
    expect(hits(0)).toBe(5);
    const circuit = async () =>
      (
        await calls.run(
          'query ($slug: String!) { modelInstance(slug: $slug) { circuit { state reason failuresInRow } availability { state code } } }',
          { slug: slugs[0] },
        )
      ).data.modelInstance;
    expect(await circuit()).toMatchObject({
      circuit: { state: 'OPEN', reason: expect.stringContaining('Down'), failuresInRow: 5 },
      availability: { state: 'UNAVAILABLE', code: 'CIRCUIT_OPEN' },
    });
    expect((await ask(model, once)).completion.attempts).toHaveLength(1);
    expect(hits(0)).toBe(5);
    scripts.set(slugs[0] as string, [GOOD]);
    await expect
      .poll(async () => (await ask(model, once)).completion.instance.slug, { timeout: 2_000 })
      .toBe(slugs[0]);
    expect(await circuit()).toMatchObject({
      circuit: { state: 'CLOSED' },
      availability: { state: 'CALLABLE' },
    });
  });

  test('an open circuit is reset by hand, and tried all the same where it is the only one', async () => {
    const { slugs, hits } = await scenario([error(503, 'Down')]);
    const slug = slugs[0] as string;
    for (let request = 0; request < 5; request += 1) await ask(slug, { maxAttemptsPerInstance: 1 });
    const last = await ask(slug, { maxAttemptsPerInstance: 1 });
    expect(last.error?.extensions.code).toBe('PROVIDER_UNAVAILABLE');
    expect(hits(0)).toBe(6);
    const plan = await calls.run(
      'query ($input: CompletionInput!) { routePlan(input: $input) { candidates { code } } }',
      {
        input: { model: slug, messages: HELLO },
      },
    );
    expect(plan.data.routePlan.candidates).toEqual([{ code: 'LAST_RESORT' }]);
    const { data } = await calls.run('query ($slug: String!) { modelInstance(slug: $slug) { id } }', {
      slug,
    });
    const reset = await calls.run(
      'mutation ($id: ID!) { resetCircuit(input: { id: $id }) { modelInstance { circuit { state } } userErrors { message } } }',
      { id: data.modelInstance.id },
    );
    expect(reset.data.resetCircuit).toEqual({
      modelInstance: { circuit: { state: 'CLOSED' } },
      userErrors: [],
    });
  });

  test('the report and the model card tell success rates, latencies and cost; lists filter by availability', async () => {
    const { model, slugs } = await scenario([error(504)], [GOOD]);
    await ask(model);
    await ask(model);
    const { data } = await calls.run(
      'query ($model: String!) { routingReport(input: { model: $model }) { rows { share instance { slug } figures { attempts answered failed successRate p50Ms p95Ms firstTokenP50Ms outputTokens } } } }',
      { model },
    );
    expect(data.routingReport.rows).toMatchObject([
      {
        share: 1,
        instance: { slug: slugs[1] },
        figures: {
          attempts: 2,
          answered: 2,
          failed: 0,
          successRate: 1,
          p50Ms: expect.any(Number),
          firstTokenP50Ms: expect.any(Number),
          outputTokens: 6,
        },
      },
      {
        share: 0,
        instance: { slug: slugs[0] },
        figures: { attempts: 2, answered: 0, failed: 2, successRate: 0, p50Ms: null },
      },
    ]);
    const card = await calls.run(
      'query ($slug: String!) { modelInstance(slug: $slug) { figures { attempts successRate } model { figures(hours: 1) { answered p95Ms } availability { state } } } }',
      { slug: slugs[1] },
    );
    expect(card.data.modelInstance).toMatchObject({
      figures: { attempts: 2, successRate: 1 },
      model: { figures: { answered: 2 }, availability: { state: 'CALLABLE' } },
    });
    const off = await calls.run('query ($slug: String!) { modelInstance(slug: $slug) { id version } }', {
      slug: slugs[1],
    });
    await calls.mutate('updateModelInstance', { ...off.data.modelInstance, enabled: false });
    const list = async (state: string) =>
      (
        await calls.run(
          `{ modelInstances(first: 100, filter: { search: "${slugs[1]}", availability: [${state}] }) { totalCount nodes { availability { code } } } }`,
        )
      ).data.modelInstances;
    expect(await list('CALLABLE')).toMatchObject({ totalCount: 0 });
    expect(await list('UNAVAILABLE')).toEqual({
      totalCount: 1,
      nodes: [{ availability: { code: 'INSTANCE_DISABLED' } }],
    });
  });
});
