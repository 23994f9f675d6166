import { connect } from 'node:net';
import { beforeAll, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { TOO_SLOW } from '../../../src/transport/graphql/slow-readers.ts';
import { startTestApp, type TestApp } from '../../support/app.ts';
import { checkStream, collect, openSocket, sandboxInput } from '../../support/run-calls.ts';
import { sandboxCatalogue } from '../../support/sandbox-catalogue.ts';

/** The end tells the text many times over: far more than the buffers between the two ends take. */
const TEXTS = Array.from({ length: 60 }, (_value, index) => `t${index}: text`).join(' ');
const STREAM = `subscription ($input: CompletionInput!) { streamCompletion(input: $input) { seq ... on CompletionEnded { completion { ${TEXTS} } } } }`;
const MUCH = { text: 'much '.repeat(180_000), tokensPerSecond: 0 };

describe('readers that do not read', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startTestApp('embedded', {
      environment: { SANDBOX: 'on', SLOW_READER_MS: '400', MAX_TEXT_CHARACTERS: '100000000' },
      overrides: { catalogueData: await sandboxCatalogue() },
    });
  });

  /** It stays away long after the run's end has been sent to it. */
  const stayAway = async () => {
    const ended = async () => {
      const { data } = await app.graph('{ completions(first: 5) { nodes { status } } }');
      const { nodes } = data.completions;
      return nodes.length > 0 && nodes.every(({ status }: { status: string }) => status === 'FINISHED');
    };
    await expect.poll(ended, { timeout: 20_000 }).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 4_000));
  };

  test('readers that do not read over WebSocket are disconnected with a code that says so, and harm neither the run nor other readers', async () => {
    const socket = new WebSocket(`${app.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    const closed = new Promise<number>((resolve) => socket.once('close', (code) => resolve(code)));
    await new Promise((resolve) => socket.once('open', resolve));
    socket.send(
      JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${app.adminKey}` } }),
    );
    await new Promise((resolve) => socket.once('message', resolve));
    const input = sandboxInput(MUCH);
    socket.send(
      JSON.stringify({
        id: crypto.randomUUID(),
        type: 'subscribe',
        payload: { query: STREAM, variables: { input } },
      }),
    );
    socket.pause();
    await using other = openSocket(app, app.adminKey);
    const read = checkStream(await collect(other.stream(sandboxInput({ tokens: 20 }))));
    expect(read).not.toBe('');
    // It reads again much later: too late.
    await stayAway();
    socket.resume();
    expect([TOO_SLOW, 1006]).toContain(await closed);
  }, 60_000);

  test('readers that do not read over SSE are disconnected too', async () => {
    const { hostname, port } = new URL(app.url);
    const socket = connect(Number(port), hostname);
    const gone = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => {});
    const body = JSON.stringify({
      query: STREAM,
      variables: { input: { ...sandboxInput(MUCH), idempotencyKey: crypto.randomUUID() } },
    });
    socket.write(
      `POST /graphql/stream HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nauthorization: Bearer ${app.adminKey}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
    socket.pause();
    const begun = async () => (await app.graph('{ completions { totalCount } }')).data.completions.totalCount;
    await expect.poll(begun, { timeout: 20_000 }).toBe(3);
    await stayAway();
    socket.resume();
    await gone;
  }, 60_000);
});
