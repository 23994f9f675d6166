import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { CompletionAnswer } from '../../../src/domain/completions/completion-answer.ts';
import { runAttempt } from '../../../src/domain/runs/attempt.ts';
import { systemClock } from '../../../src/kernel/clock.ts';
import type { StreamPart } from '../../../src/providers/contract/completions.ts';

/** A provider on a thread of its own: it goes on speaking while this one stands still. */
const UPSTREAM = `
  const { parentPort } = require('node:worker_threads');
  const server = require('node:http').createServer((_request, response) => {
    response.write('one');
    setTimeout(() => response.end('two'), 150);
  });
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));`;

test('an answer that came while the node itself stood still is not taken for late', async () => {
  const upstream = new Worker(UPSTREAM, { eval: true });
  try {
    const [port] = await once(upstream, 'message');
    async function* stream({ signal }: { signal: AbortSignal }) {
      const response = await fetch(`http://127.0.0.1:${port}`, { signal });
      const read = response.body?.pipeThrough(new TextDecoderStream()) as AsyncIterable<string>;
      for await (const text of read) yield [{ type: 'text-delta', text }] satisfies StreamPart[];
      yield [{ type: 'finish', reason: 'stop' }] as unknown as StreamPart[];
    }
    let standsStill = false;
    const answer = new CompletionAnswer();
    const { error } = await runAttempt({
      call: { stream },
      wholeSuffices: false,
      limits: {
        firstTokenMs: 5_000,
        aliveFirstTokenMs: 5_000,
        betweenTokensMs: 300,
        totalMs: 20_000,
      },
      clock: systemClock,
      stop: new AbortController().signal,
      answer,
      onParts: () => {
        if (standsStill) return;
        standsStill = true;
        // As a process that was stopped and goes on.
        setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 600));
      },
    });
    expect(error).toBeUndefined();
    expect(answer.text).toBe('onetwo');
  } finally {
    await upstream.terminate();
  }
});
