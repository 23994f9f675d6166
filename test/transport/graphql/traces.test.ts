import { createClient } from 'graphql-ws';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import type { TelemetryEvent } from '../../../src/kernel/telemetry.ts';
import { startTestApp, type TestApp } from '../../support/app.ts';
import { collect, openSse, sandboxInput } from '../../support/run-calls.ts';
import { sandboxCatalogue } from '../../support/sandbox-catalogue.ts';

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT_ID = '00f067aa0ba902b7';
const HEADERS = { traceparent: `00-${TRACE_ID}-${PARENT_ID}-01`, tracestate: 'rojo=1, congo=2' };
const TRACE = {
  traceId: TRACE_ID,
  parentId: PARENT_ID,
  flags: '01',
  isSampled: true,
  state: 'rojo=1,congo=2',
};
const COMPLETE = 'mutation ($input: CompletionInput!) { complete(input: $input) { completion { id } } }';
const STREAM =
  'subscription ($input: CompletionInput!) { streamCompletion(input: $input) { seq completionId } }';
const EVENTS =
  'subscription ($id: String!, $after: Int!) { completionEvents(id: $id, after: $after) { seq } }';

describe('traces of callers', () => {
  const told: TelemetryEvent[] = [];
  let app: TestApp;

  beforeAll(async () => {
    app = await startTestApp('embedded', {
      environment: { SANDBOX: 'on', REQUESTS_PER_MINUTE: '0' },
      overrides: {
        catalogueData: await sandboxCatalogue(),
        listeners: {
          test: (event) => void told.push(event),
          broken: () => {
            throw new Error('broken');
          },
        },
      },
    });
  }, 60_000);
  beforeEach(() => {
    told.length = 0;
  });

  const ofRuns = () => told.filter((event) => event.type === 'attempt-ended' || event.type === 'run-ended');
  const complete = async (headers: Record<string, string>) => {
    const response = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${app.adminKey}`, ...headers },
      body: JSON.stringify({ query: COMPLETE, variables: { input: sandboxInput() } }),
    });
    return { requestId: response.headers.get('x-request-id'), body: (await response.json()) as any };
  };

  test('the trace of a caller comes over HTTP to the attempts and the end of its run, with the id of its request', async () => {
    const { requestId, body } = await complete(HEADERS);
    expect(body.errors).toBeUndefined();
    await expect.poll(ofRuns).toMatchObject([
      { type: 'attempt-ended', attempt: 1, requestId, trace: TRACE, stopped: false },
      { type: 'run-ended', status: 'FINISHED', requestId, trace: TRACE },
    ]);
    const groups = told.flatMap((event) => (event.type === 'group-committed' ? [event.group] : []));
    expect(groups).toEqual(expect.arrayContaining(['begins', 'ends']));
  });

  test('the trace of a caller comes over SSE, and a reader that comes back is told of', async () => {
    const body = {
      query: STREAM,
      variables: { input: { ...sandboxInput(), idempotencyKey: crypto.randomUUID() } },
    };
    const { events } = await openSse(app, app.adminKey, body, HEADERS);
    const [first] = await collect(events);
    await expect.poll(ofRuns).toMatchObject([{ trace: TRACE }, { trace: TRACE }]);
    const { completionId: id } = (first as any).data.data.streamCompletion;
    const again = await openSse(app, app.adminKey, { query: EVENTS, variables: { id, after: 1 } });
    await collect(again.events);
    expect(told.filter(({ type }) => type === 'stream-resumed')).toMatchObject([{ after: 1, local: false }]);
  });

  test('the trace of a caller comes over WebSocket with the parameters of the connection', async () => {
    const client = createClient({
      url: `${app.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: {
        authorization: `Bearer ${app.adminKey}`,
        Traceparent: HEADERS.traceparent,
        tracestate: HEADERS.tracestate,
      },
    });
    for await (const _event of client.iterate({ query: STREAM, variables: { input: sandboxInput() } }));
    await client.dispose();
    await expect.poll(ofRuns).toMatchObject([{ trace: TRACE }, { trace: TRACE }]);
  });

  test('the trace of a caller is none where the request names none, or one that is malformed', async () => {
    await complete({});
    await complete({ traceparent: 'nonsense', tracestate: 'a=1' });
    await expect.poll(() => ofRuns().length).toBe(4);
    expect(ofRuns().map(({ trace }) => trace)).toEqual([undefined, undefined, undefined, undefined]);
  });

  test('the trace of a caller comes with the refusal by a limit', async () => {
    const made = await app.graph(
      'mutation { createApiKey(input: {name: "L", scopes: [RUN], limits: {tokensPerMinute: 1}}) { secret } }',
    );
    const authorization = `Bearer ${made.data.createApiKey.secret}`;
    const { body, requestId } = await complete({ ...HEADERS, authorization });
    expect(body.errors[0].extensions.code).toBe('RATE_LIMITED');
    expect(told.filter(({ type }) => type === 'limit-refused')).toEqual([
      {
        type: 'limit-refused',
        requestId,
        trace: TRACE,
        workspaceId: expect.any(String),
        scope: 'CALLER',
        limit: 'tokensPerMinute',
      },
    ]);
  });
});
