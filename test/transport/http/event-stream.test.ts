import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { goneSignalOf } from '../../../src/transport/http/caller-presence.ts';
import { EventStream } from '../../../src/transport/http/event-stream.ts';

/** A response to a client that sends one request, and what the client can do with its socket. */
async function openResponse() {
  const server = createServer();
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  client.on('error', () => {});
  onTestFinished(() => void client.destroy());
  const asked = once(server, 'request');
  client.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  const response = (await asked)[1] as ServerResponse;
  return { client, response };
}

/** More than the buffers between the two ends take. */
const CHUNK = 'x'.repeat(20_000_000);

function source(count: number) {
  let left = false;
  return {
    hasLeft: () => left,
    async next() {
      if (left || count === 0) return { value: undefined, done: true as const };
      count -= 1;
      return { value: { text: CHUNK }, done: false as const };
    },
    async return() {
      left = true;
      return { value: undefined, done: true as const };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

const FORM = {
  textOf: ({ text }: { readonly text: string }) => `data: ${text}\n\n`,
  textOfFault: () => 'data: a fault\n\n',
  end: 'data: the end\n\n',
};
const open = (response: ServerResponse, gone = goneSignalOf(response), slowReaderMs = 60_000) =>
  new EventStream(response, { headers: {}, gone, closing: new AbortController().signal, slowReaderMs });

test.each(['before', 'after'])(
  'a stream whose client left %s its leaving was looked out for ends at once, and leaves its source',
  async (when) => {
    const { client, response } = await openResponse();
    const early = when === 'after' ? goneSignalOf(response) : undefined;
    const closed = once(response, 'close');
    client.destroy();
    await closed;
    const events = source(1_000);
    await open(response, early).send(events, FORM);
    expect(events.hasLeft()).toBe(true);
  },
);

test('a stream that a client leaves unread is cut, though the stream itself has been left meanwhile', async () => {
  const { client, response } = await openResponse();
  client.pause();
  const stream = open(response, undefined, 300);
  const events = source(1_000);
  const sent = stream.send(events, FORM);
  const closed = once(response, 'close');
  await new Promise((resolve) => setTimeout(resolve, 100));
  stream.leave();
  await sent;
  await closed;
  expect(events.hasLeft()).toBe(true);
  expect(client.bytesRead).toBeLessThan(CHUNK.length);
});
