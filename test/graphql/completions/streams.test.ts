import { print } from 'graphql';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  CancelCompletionDocument,
  CompletionDocument,
  CompletionEventsDocument,
  StartCompletionDocument,
  StreamCompletionDocument,
} from '../../__generated__/documents.ts';
import { startTestApp, type TestApp } from '../../support/app.ts';
import { type CatalogueCalls, catalogueCalls } from '../../support/catalogue-calls.ts';
import { startCuttingProxy } from '../../support/cutting-proxy.ts';
import { describeEachDatabase } from '../../support/databases.ts';
import { startFakeUpstream } from '../../support/fake-upstream.ts';
import {
  checkStream,
  collect,
  complete,
  HELLO,
  openSocket,
  openSse,
  type SeenEvent,
  sandboxInput,
  send,
} from '../../support/run-calls.ts';
import { sandboxCatalogue } from '../../support/sandbox-catalogue.ts';

const STREAM = print(StreamCompletionDocument);
const EVENTS = print(CompletionEventsDocument);

describeEachDatabase('streams of completions', (kind) => {
  let app: TestApp;
  let mine: CatalogueCalls;
  let key: string;

  beforeAll(async () => {
    app = await startTestApp(kind, { overrides: { catalogueData: await sandboxCatalogue() } });
    ({ key } = await app.createWorkspace());
    mine = catalogueCalls(app, key);
    await mine.config({ name: 'Sandbox', providerKey: 'sandbox', secret: undefined });
  });

  const found = async (id: string) => (await send(app, key, CompletionDocument, { id })).data.completion!;
  const start = async (input: ReturnType<typeof sandboxInput>) =>
    (await send(app, key, StartCompletionDocument, { input })).data.startCompletion.completion!.id;
  const typesOf = (events: readonly SeenEvent[]) => [...new Set(events.map(({ __typename }) => __typename))];

  describe('graphql-ws', () => {
    test('a stream over graphql-ws brings every event once, and one end with usage and cost', async () => {
      await using socket = openSocket(app, key);
      const events = await collect(socket.stream(sandboxInput({ tokens: 200, reasoningTokens: 20 })));
      const text = checkStream(events);
      expect(typesOf(events)).toEqual([
        'CompletionStarted',
        'ReasoningDelta',
        'TextDelta',
        'CompletionFinished',
      ]);
      const end = events.at(-1)!;
      expect(end).toMatchObject({ completion: { status: 'FINISHED', text, finishReason: 'STOP' } });
      expect((await found(end.completionId)).text).toBe(text);
    });

    test('a stream over graphql-ws shows a second reader the same run, from any place, to the same end', async () => {
      await using socket = openSocket(app, key);
      const id = await start(sandboxInput({ tokens: 60, tokensPerSecond: 200, tokensPerRead: 3 }));
      const readers = await Promise.all(
        [0, 0, 1, 5].map((after) => collect(socket.subscribe(CompletionEventsDocument, { id, after }))),
      );
      const texts = readers.map((events, index) => checkStream(events, [0, 0, 1, 5][index]));
      expect(texts[0]).toBe((await found(id)).text);
      expect(texts[1]).toBe(texts[0]);
      expect(texts[2]).toBe(texts[0]);
      expect(texts[0]!.endsWith(texts[3]!)).toBe(true);
      expect(new Set(readers.map((events) => events.at(-1)!.seq)).size).toBe(1);
    });

    test('a stream over graphql-ws can be replayed after the end, and is empty at or past it', async () => {
      await using socket = openSocket(app, key);
      const { data } = await complete(app, key, sandboxInput({ tokens: 30 }));
      const { id, text } = data.complete.completion!;
      const all = await collect(socket.subscribe(CompletionEventsDocument, { id }));
      expect(checkStream(all)).toBe(text);
      const last = all.at(-1)!.seq;
      expect(await collect(socket.subscribe(CompletionEventsDocument, { id, after: last }))).toEqual([]);
      expect(await collect(socket.subscribe(CompletionEventsDocument, { id, after: last + 1000 }))).toEqual(
        [],
      );
      const end = await collect(socket.subscribe(CompletionEventsDocument, { id, after: last - 1 }));
      expect(end.map(({ __typename }) => __typename)).toEqual(['CompletionFinished']);
    });

    test('a stream over graphql-ws refuses a negative place, and a run of somebody else', async () => {
      await using socket = openSocket(app, key);
      const id = await start(sandboxInput());
      const error = async (of: ReturnType<typeof openSocket>, after: number) =>
        collect(of.subscribe(CompletionEventsDocument, { id, after })).then(
          () => 'no error',
          (caught) => caught.code ?? caught[0]?.extensions?.code,
        );
      expect(await error(socket, -1)).toBe('BAD_USER_INPUT');
      await using other = openSocket(app, (await app.createWorkspace()).key);
      expect(await error(other, 0)).toBe('NOT_FOUND');
    });

    test('a stream over graphql-ws is left without stopping the run', async () => {
      await using socket = openSocket(app, key);
      const stream = socket.stream(sandboxInput({ tokens: 50, tokensPerSecond: 400 }));
      const first = (await stream.next()).value as SeenEvent;
      await stream.return(undefined);
      const rest = await collect(
        socket.subscribe(CompletionEventsDocument, { id: first.completionId, after: first.seq }),
      );
      checkStream(rest, first.seq);
      expect(rest.at(-1)!.__typename).toBe('CompletionFinished');
    });

    test('a stream over graphql-ws ends with what was used when its run is cancelled, and the upstream request stops', async () => {
      await using socket = openSocket(app, key);
      const chunk = (text: string) =>
        `data: ${JSON.stringify({ id: 'c', model: 'm', choices: [{ index: 0, delta: { content: text } }] })}\n\n`;
      const upstream = await startFakeUpstream(() => ({
        headers: { 'content-type': 'text/event-stream' },
        body: [chunk('So '), chunk('far'), chunk(' never')],
        fault: { stallAfterBytes: (chunk('So ') + chunk('far')).length },
      }));
      const provider = await mine.provider({ baseUrl: upstream.url });
      const config = await mine.config({ providerKey: provider.key });
      const model = await mine.model({ providerKey: provider.key });
      await mine.instance({ configId: config.id, canonicalId: model.canonicalId, slug: `cancelled-${kind}` });
      const stream = socket.stream({ model: `cancelled-${kind}`, messages: HELLO });
      const seen: SeenEvent[] = [];
      for (let text = ''; text !== 'So far'; ) {
        const event = (await stream.next()).value as SeenEvent;
        seen.push(event);
        if (event.__typename === 'TextDelta') text += event.text;
      }
      const { data } = await send(app, key, CancelCompletionDocument, {
        input: { id: seen[0]!.completionId },
      });
      expect(data.cancelCompletion).toMatchObject({
        settled: true,
        completion: { status: 'CANCELLED', text: 'So far', usage: { estimated: true } },
      });
      expect(data.cancelCompletion.completion!.usage!.outputTokens).toBeGreaterThan(0);
      seen.push(...(await collect(stream)));
      expect(checkStream(seen)).toBe('So far');
      expect(seen.at(-1)!.__typename).toBe('CompletionCancelled');
      await upstream.requests[0]!.aborted;
      await upstream.close();
    });

    test('a stream over graphql-ws goes on over a new socket when its own is cut, without a second run', async () => {
      const proxy = await startCuttingProxy(app.url);
      const own = await app.createWorkspace();
      await catalogueCalls(app, own.key).config({
        name: 'Sandbox',
        providerKey: 'sandbox',
        secret: undefined,
      });
      await using socket = openSocket(app, own.key, proxy.url);
      const seen: SeenEvent[] = [];
      let cuts = 0;
      let sinceStart = 0;
      for await (const event of socket.stream(sandboxInput({ tokens: 120, tokensPerSecond: 400 }))) {
        seen.push(event);
        sinceStart = event.__typename === 'CompletionStarted' ? 0 : sinceStart + 1;
        if (cuts < 2 && sinceStart === 8) {
          cuts += 1;
          proxy.cut();
        }
      }
      expect(cuts).toBe(2);
      expect(proxy.accepted).toBeGreaterThanOrEqual(3);
      expect(new Set(seen.map(({ completionId }) => completionId)).size).toBe(1);
      // The client joins from the start again, so the last CompletionStarted begins the whole.
      const again = seen.findLastIndex(({ __typename }) => __typename === 'CompletionStarted');
      const text = checkStream(seen.slice(again));
      const list = await app.graph('{ completions { totalCount nodes { text } } }', {}, own.key);
      expect(list.data.completions).toEqual({ totalCount: 1, nodes: [{ text }] });
      await proxy.close();
    });

    test('a streamed run that nobody follows is cancelled after the grace, where the caller wants it so', async () => {
      const socket = openSocket(app, key);
      const stream = socket.stream(
        sandboxInput({ tokens: 5000, tokensPerSecond: 50 }, { onDetach: 'CANCEL', detachGraceMs: 50 }),
      );
      const { completionId } = (await stream.next()).value as SeenEvent;
      await socket.client.dispose();
      await using watcher = openSocket(app, key);
      for (;;) {
        const { status } = await found(completionId);
        if (status === 'CANCELLED') break;
        expect(status).toBe('RUNNING');
      }
      const events = await collect(watcher.subscribe(CompletionEventsDocument, { id: completionId }));
      expect(events.at(-1)!.__typename).toBe('CompletionCancelled');
    });

    test('a stream over graphql-ws ends with the fault where a provider fails in mid-answer', async () => {
      await using socket = openSocket(app, key);
      const events = await collect(
        socket.stream(
          sandboxInput(
            { fail: { code: 'PROVIDER_UNAVAILABLE', afterTokens: 7 } },
            { routing: { onStreamFault: 'FAIL' } },
          ),
        ),
      );
      const text = checkStream(events);
      expect(text).not.toBe('');
      expect(events.at(-1)).toMatchObject({
        __typename: 'CompletionFailed',
        completion: { status: 'FAILED', text },
      });
    });

    test('a stream over graphql-ws is refused before it begins for what complete refuses', async () => {
      await using socket = openSocket(app, key);
      const refused = await collect(socket.stream({ model: 'nothing-here', messages: HELLO })).catch(
        (caught) => caught,
      );
      expect(JSON.stringify(refused.code ?? refused)).toContain('MODEL_NOT_FOUND');
    });
  });

  describe('SSE', () => {
    const input = (over: object = {}) => ({
      ...sandboxInput({ tokens: 40, tokensPerSecond: 300 }),
      idempotencyKey: crypto.randomUUID(),
      ...over,
    });
    const shown = (events: readonly { event: string; data: any }[]) =>
      events
        .filter(({ event }) => event === 'next')
        .map(({ data }) => Object.values(data.data)[0] as SeenEvent);

    test('a stream over SSE brings every event once, each with an id to resume from', async () => {
      const { response, events } = await openSse(app, key, { query: STREAM, variables: { input: input() } });
      expect(response.headers.get('content-type')).toContain('text/event-stream');
      expect(response.headers.get('x-accel-buffering')).toBe('no');
      expect(response.headers.get('x-request-id')).toBeTruthy();
      const all = await collect(events);
      checkStream(shown(all));
      expect(all.at(-1)!.event).toBe('complete');
      for (const [index, event] of shown(all).entries()) {
        expect(all[index]!.id).toBe(`${event.completionId}:${event.seq}`);
      }
    });

    test('a stream over SSE goes on after Last-Event-ID, in the same run', async () => {
      const wanted = input();
      const first = await openSse(app, key, { query: STREAM, variables: { input: wanted } });
      const seen: { event: string; id: string; data: any }[] = [];
      for await (const event of first.events) {
        seen.push(event);
        if (seen.length === 5) break;
      }
      first.abort();
      const second = await openSse(
        app,
        key,
        { query: STREAM, variables: { input: wanted } },
        { 'last-event-id': seen.at(-1)!.id },
      );
      const all = [...shown(seen), ...shown(await collect(second.events))];
      checkStream(all);
      expect(new Set(all.map(({ completionId }) => completionId)).size).toBe(1);
    });

    test('a stream over SSE resumes any run by its id', async () => {
      const { data } = await complete(app, key, sandboxInput());
      const { id, text } = data.complete.completion!;
      const { events } = await openSse(app, key, { query: EVENTS, variables: { id } });
      expect(checkStream(shown(await collect(events)))).toBe(text);
    });

    test.each([
      ['without a key', { variables: { input: sandboxInput() } }, {}, 'idempotencyKey'],
      [
        'with an id that is none',
        { variables: { input: sandboxInput() } },
        { 'last-event-id': 'nonsense' },
        'Last-Event-ID',
      ],
    ])('a stream over SSE is refused %s, in words that help', async (_what, body, headers, words) => {
      const asJson = await openSse(
        app,
        key,
        { query: STREAM, ...body },
        { accept: 'application/json', ...headers },
      );
      expect(asJson.response.status).toBe(400);
      expect(JSON.stringify(await asJson.response.json())).toContain(words);
      const asEvents = await openSse(app, key, { query: STREAM, ...body }, headers);
      expect(asEvents.response.status).toBe(200);
      const [refusal, end] = await collect(asEvents.events);
      expect([refusal?.event, end?.event]).toEqual(['next', 'complete']);
      expect(refusal?.data.errors[0].message).toContain(words);
    });

    test('a stream over SSE is refused by GET, which starts nothing', async () => {
      const query = new URLSearchParams({ query: STREAM, variables: JSON.stringify({ input: input() }) });
      const response = await fetch(`${app.url}/graphql/stream?${query}`, {
        headers: { authorization: `Bearer ${key}` },
      });
      expect([response.status, JSON.stringify(await response.json())]).toEqual([
        400,
        expect.stringContaining('POST'),
      ]);
    });
  });

  describe('idempotency keys', () => {
    test('calls under one idempotency key are one run, at whichever door and however many ask at once', async () => {
      const wanted = sandboxInput(
        { tokens: 30, tokensPerSecond: 500 },
        { idempotencyKey: crypto.randomUUID() },
      );
      await using socket = openSocket(app, key);
      const [one, two, streamed, started] = await Promise.all([
        complete(app, key, wanted),
        complete(app, key, wanted),
        collect(socket.stream(wanted)),
        send(app, key, StartCompletionDocument, { input: wanted }),
      ]);
      const ids = [
        one.data.complete.completion!.id,
        two.data.complete.completion!.id,
        streamed[0]!.completionId,
        started.data.startCompletion.completion!.id,
      ];
      expect(new Set(ids).size).toBe(1);
      expect(checkStream(streamed)).toBe(one.data.complete.completion!.text);
    });

    test('calls under one idempotency key with different input are a conflict', async () => {
      const idempotencyKey = crypto.randomUUID();
      await complete(app, key, sandboxInput({}, { idempotencyKey }));
      const { errors } = await complete(app, key, sandboxInput({ tokens: 3 }, { idempotencyKey }));
      expect(errors?.[0]?.extensions).toMatchObject({ code: 'CONFLICT', path: 'idempotencyKey' });
    });

    test('calls under one idempotency key begin once the request is one that can be served', async () => {
      const idempotencyKey = crypto.randomUUID();
      const refused = await complete(app, key, sandboxInput({}, { idempotencyKey, model: 'nothing-here' }));
      expect(refused.errors?.[0]?.extensions.code).toBe('MODEL_NOT_FOUND');
      const { data } = await complete(app, key, sandboxInput({}, { idempotencyKey }));
      expect(data.complete.completion!.status).toBe('FINISHED');
    });

    test('calls under one idempotency key fail again as they failed', async () => {
      const wanted = sandboxInput(
        { fail: { code: 'PROVIDER_INVALID_REQUEST', message: 'No' } },
        { idempotencyKey: crypto.randomUUID() },
      );
      const [one, two] = [await complete(app, key, wanted), await complete(app, key, wanted)];
      expect(one.errors?.[0]?.extensions.code).toBe('PROVIDER_INVALID_REQUEST');
      expect(two.errors?.[0]?.extensions.completionId).toBe(one.errors?.[0]?.extensions.completionId);
    });
  });
});
