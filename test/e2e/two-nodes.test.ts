import { beforeAll, expect, test } from 'vitest';
import {
  CancelCompletionDocument,
  CompleteDocument,
  CompletionDocument,
  CompletionEventsDocument,
  StartCompletionDocument,
} from '../__generated__/documents.ts';
import {
  checkStream,
  collect,
  openSocket,
  type SeenEvent,
  sandboxInput,
  send,
} from '../support/run-calls.ts';
import { describeTwoNodes, startTwoNodes, type TwoNodes } from '../support/two-nodes.ts';

describeTwoNodes('two nodes on one PostgreSQL and one Redis', () => {
  let nodes: TwoNodes;

  beforeAll(async () => {
    nodes = await startTwoNodes();
  });

  const start = async (sandbox: object, over: object = {}) => {
    const { data } = await send(nodes.a, nodes.key, StartCompletionDocument, {
      input: sandboxInput(sandbox as Record<string, unknown>, over),
    });
    return data.startCompletion.completion.id;
  };
  const follow = (node: 'a' | 'b', id: string, after: number) => {
    const socket = openSocket(nodes[node], nodes.key);
    const events = socket.subscribe(CompletionEventsDocument, { id, after });
    return { events, close: () => socket[Symbol.asyncDispose]() };
  };
  const readWhole = async (node: 'a' | 'b', id: string, after: number): Promise<SeenEvent[]> => {
    const reader = follow(node, id, after);
    try {
      return await collect(reader.events);
    } finally {
      await reader.close();
    }
  };
  const statusOf = async (node: 'a' | 'b', id: string) =>
    (await send(nodes[node], nodes.key, CompletionDocument, { id })).data.completion?.status;

  test('a run is read on either of two nodes, from any place, while it goes on and after its end', async () => {
    const id = await start({ tokens: 120, tokensPerSecond: 120 });
    const offsets = [0, 1, 7, 30];
    const live = await Promise.all(
      offsets.flatMap((after) => [readWhole('a', id, after), readWhole('b', id, after)]),
    );
    const again = await Promise.all(
      offsets.flatMap((after) => [readWhole('a', id, after), readWhole('b', id, after)]),
    );
    const whole = checkStream(live[0] ?? []);
    for (const [index, events] of [...live, ...again].entries()) {
      const after = offsets[Math.floor((index % 8) / 2)] as number;
      expect(whole.endsWith(checkStream(events, after))).toBe(true);
      expect(events.at(-1)?.__typename).toBe('CompletionFinished');
    }
    const last = live[1]?.at(-1)?.seq ?? 0;
    expect(await readWhole('b', id, last)).toEqual([]);
    expect(await readWhole('b', id, last + 50)).toEqual([]);
  });

  test('a cancel on one node stops the run on the other, and both tell the same', async () => {
    const id = await start({ tokens: 5_000, tokensPerSecond: 50 });
    const reading = readWhole('b', id, 0);
    await expect.poll(() => statusOf('b', id)).toBe('RUNNING');
    const { data } = await send(nodes.b, nodes.key, CancelCompletionDocument, { input: { id } });
    expect(data.cancelCompletion).toMatchObject({ settled: true, completion: { id, status: 'CANCELLED' } });
    const events = await reading;
    checkStream(events);
    expect(events.at(-1)?.__typename).toBe('CompletionCancelled');
    expect(await statusOf('a', id)).toBe('CANCELLED');
  });

  test('one key at two nodes at once is one run, and complete on the other waits for it', async () => {
    const idempotencyKey = crypto.randomUUID();
    const input = sandboxInput({ tokens: 40, tokensPerSecond: 100 }, { idempotencyKey });
    const [one, other, third] = await Promise.all(
      [nodes.a, nodes.b, nodes.a].map((node) => send(node, nodes.key, CompleteDocument, { input })),
    );
    const ids = [one, other, third].map((answer) => answer?.data.complete.completion.id);
    expect(new Set(ids).size).toBe(1);
    expect(other?.data.complete.completion).toMatchObject({ status: 'FINISHED' });
    const changed = sandboxInput({ tokens: 41 }, { idempotencyKey });
    const conflict = await send(nodes.b, nodes.key, CompleteDocument, { input: changed });
    expect(conflict.errors?.[0]?.extensions.code).toBe('CONFLICT');
    await using socket = openSocket(nodes.b, nodes.key);
    const joined = await collect(socket.stream(input));
    checkStream(joined);
    expect(joined[0]?.__typename).toBe('CompletionStarted');
  });

  test('a run that is to be cancelled when nobody follows it goes on while somebody does on the other node', async () => {
    const over = { onDetach: 'CANCEL', detachGraceMs: 400 };
    const followed = await start({ tokens: 60, tokensPerSecond: 30 }, over);
    const left = await start({ tokens: 600, tokensPerSecond: 30 }, over);
    const events = await readWhole('b', followed, 0);
    expect(events.at(-1)?.__typename).toBe('CompletionFinished');
    await expect.poll(() => statusOf('b', left)).toBe('CANCELLED');
  });

  test('a caller sees only its own runs on the other node too', async () => {
    const id = await start({ tokens: 3 });
    const other = await nodes.b.createWorkspace();
    await expect
      .poll(
        async () => (await send(nodes.b, other.key, CompletionDocument, { id })).errors?.[0]?.extensions.code,
      )
      .toBe('NOT_FOUND');
  });
});

describeTwoNodes('outages', () => {
  let nodes: TwoNodes;

  beforeAll(async () => {
    nodes = await startTwoNodes();
  });

  const events = async (
    node: 'a' | 'b',
    sandbox: Record<string, unknown>,
    onEvent: (event: SeenEvent, count: number) => void,
  ) => {
    await using socket = openSocket(nodes[node], nodes.key);
    const seen: SeenEvent[] = [];
    for await (const event of socket.stream(sandboxInput(sandbox))) {
      seen.push(event);
      onEvent(event, seen.length);
    }
    return seen;
  };

  test('while Redis is stopped in mid-stream the owner’s reader notices nothing, and readers elsewhere go on when it is back', async () => {
    let elsewhere: Promise<SeenEvent[]> | undefined;
    await using socket = openSocket(nodes.b, nodes.key);
    const seen = await events('a', { tokens: 150, tokensPerSecond: 50 }, (event, count) => {
      if (count === 3)
        elsewhere = collect(socket.subscribe(CompletionEventsDocument, { id: event.completionId, after: 0 }));
      if (count === 30) nodes.redis.cut();
      if (count === 60) nodes.redis.mend();
    });
    const text = checkStream(seen);
    expect(seen.at(-1)?.__typename).toBe('CompletionFinished');
    // Its socket was closed with 1013, and its own client came back: the subscription began anew, from the start.
    const read = (await elsewhere) ?? [];
    const begun = read.findLastIndex(({ __typename }) => __typename === 'CompletionStarted');
    expect(checkStream(read.slice(begun))).toBe(text);
  });

  test('while Redis is two seconds late nobody who waits is kept waiting for it', async () => {
    nodes.redis.delay(2_000);
    try {
      const begun = performance.now();
      const seen = await events('a', { tokens: 10 }, () => {});
      checkStream(seen);
      expect(performance.now() - begun).toBeLessThan(1_500);
    } finally {
      nodes.redis.delay(0);
    }
  });

  test('while PostgreSQL is stopped in mid-stream the text flows on, the end waits for the commit, what is new is refused, and all is well again', async () => {
    let refused: string | undefined;
    let flowing = 0;
    let down = false;
    let isMending = false;
    const seen = await events('a', { tokens: 120, tokensPerSecond: 60 }, (event, count) => {
      if (count === 20) {
        nodes.postgres.cut();
        down = true;
        void send(nodes.a, nodes.key, CompleteDocument, { input: sandboxInput() }).then((answer) => {
          refused = answer.errors?.[0]?.extensions.code as string;
        });
      }
      if (down && count > 20) flowing += 1;
      // By its place, since a busy machine merges tokens into fewer events.
      if (event.seq >= 100 && !isMending) {
        isMending = true;
        setTimeout(() => {
          down = false;
          nodes.postgres.mend();
        }, 1_000);
      }
    });
    checkStream(seen);
    expect(seen.at(-1)?.__typename).toBe('CompletionFinished');
    expect(flowing).toBeGreaterThan(10);
    expect(refused).toBe('STORAGE_UNAVAILABLE');
    const { data } = await send(nodes.a, nodes.key, CompleteDocument, { input: sandboxInput() });
    expect(data.complete.completion.status).toBe('FINISHED');
  });
});
