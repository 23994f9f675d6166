import { Redis } from 'ioredis';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  CompleteDocument,
  CompletionDocument,
  CompletionEventsDocument,
  StartCompletionDocument,
} from '../__generated__/documents.ts';
import { REDIS_URL } from '../support/redis.ts';
import {
  checkStream,
  collect,
  openSocket,
  type SeenEvent,
  sandboxInput,
  send,
} from '../support/run-calls.ts';
import { describeTwoNodes, startTwoNodes, type TwoNodes } from '../support/two-nodes.ts';

describeTwoNodes('lost logs, owners and connections', () => {
  let nodes: TwoNodes;
  let redis: Redis;
  let database: pg.Client;

  beforeAll(async () => {
    nodes = await startTwoNodes();
    redis = new Redis(REDIS_URL);
    database = new pg.Client({ connectionString: nodes.databaseUrl });
    await database.connect();
  });
  afterAll(async () => {
    redis.disconnect();
    await database.end();
  });

  const start = async (sandbox: Record<string, unknown>, over = {}) => {
    const input = sandboxInput(sandbox, over);
    const { data } = await send(nodes.a, nodes.key, StartCompletionDocument, { input });
    return data.startCompletion.completion.id;
  };
  const read = async (node: 'a' | 'b', id: string, after = 0): Promise<SeenEvent[]> => {
    await using socket = openSocket(nodes[node], nodes.key);
    return await collect(socket.subscribe(CompletionEventsDocument, { id, after }));
  };
  const runOf = async (node: 'a' | 'b', id: string) =>
    (await send(nodes[node], nodes.key, CompletionDocument, { id })).data.completion;
  /** The key of the run's log; the ids of the graph hold the row's. */
  const logKey = (id: string) => `mg:run:${rowId(id)}`;
  const rowId = (id: string) =>
    /[0-9a-f-]{36}/.exec(id)?.[0] ?? /[0-9a-f-]{36}/.exec(Buffer.from(id, 'base64url').toString())?.[0] ?? id;

  test('a reader elsewhere gets the rest from the row where Redis has lost the end of a log whose owner lives', async () => {
    const id = await start({ tokens: 10, tokensPerSecond: 100 });
    await expect.poll(async () => (await runOf('a', id))?.status).toBe('FINISHED');
    await expect.poll(async () => (await redis.xrange(logKey(id), '-', '+')).length).toBeGreaterThan(5);
    await expect.poll(() => redis.pttl(logKey(id))).toBeLessThan(1_000_000);
    const entries = await redis.xrange(logKey(id), '-', '+');
    // As when Redis comes back from an older state of its file.
    await redis.del(logKey(id));
    for (const [entry, fields] of entries.slice(0, 4)) await redis.xadd(logKey(id), entry, ...fields);
    const events = await read('b', id);
    expect(checkStream(events)).toBe((await runOf('b', id))?.text);
    expect(events.at(-1)?.__typename).toBe('CompletionFinished');
  });

  test('a run that has just ended is not expired for a reader elsewhere, though its owner cannot reach Redis', async () => {
    nodes.redisOf.a.cut();
    try {
      const input = sandboxInput({ tokens: 5 });
      const { data } = await send(nodes.a, nodes.key, StartCompletionDocument, { input });
      const { id } = data.startCompletion.completion;
      await expect.poll(async () => (await runOf('b', id))?.status).toBe('FINISHED');
      const events = await read('b', id);
      expect(checkStream(events)).toBe((await runOf('b', id))?.text);
    } finally {
      nodes.redisOf.a.mend();
    }
  });

  test('an owner that was replaced stops at once, though its provider is silent, and its readers get the other’s end', async () => {
    const id = await start({ tokens: 5, firstTokenMs: 60_000 });
    const reading = read('a', id);
    // A record of its progress has been made, and there is nothing new for another.
    const recorded = async () => {
      const { rows } = await database.query('select progress_seq from completion_run where id = $1', [
        rowId(id),
      ]);
      return rows[0].progress_seq;
    };
    await expect.poll(recorded, { timeout: 5_000 }).toBe(1);
    await database.query(
      `update completion_run set epoch = epoch + 1, node_id = gen_random_uuid(), status = 'INTERRUPTED',
         ended_at = now(), last_seq = 1000001 where id = $1`,
      [rowId(id)],
    );
    const events = await reading;
    expect(events.at(-1)).toMatchObject({ __typename: 'CompletionInterrupted', seq: 1_000_001 });
  });

  test('a run whose beginning was not answered is undone, and its key begins it anew', async () => {
    const idempotencyKey = crypto.randomUUID();
    const input = sandboxInput({ tokens: 3 }, { idempotencyKey });
    nodes.postgres.delay(60_000);
    const asked = send(nodes.a, nodes.key, CompleteDocument, { input });
    const begun = () =>
      database
        .query('select run_id from idempotency_key where key = $1', [idempotencyKey])
        .then(({ rows }) => rows);
    await expect.poll(begun).toHaveLength(1);
    nodes.postgres.cut();
    nodes.postgres.delay(0);
    expect((await asked).errors?.[0]?.extensions.code).toBe('STORAGE_UNAVAILABLE');
    nodes.postgres.mend();
    await expect.poll(begun, { timeout: 10_000 }).toEqual([]);
    await expect
      .poll(
        async () =>
          (await send(nodes.a, nodes.key, CompleteDocument, { input })).data?.complete?.completion.status,
      )
      .toBe('FINISHED');
  });
});

describeTwoNodes('dead nodes while Redis hangs', () => {
  test('the runs of dead nodes are ended at once while Redis hangs, and the node that ends them goes on renewing its lease', async () => {
    const nodes = await startTwoNodes();
    const database = new pg.Client({ connectionString: nodes.databaseUrl });
    await database.connect();
    try {
      // A node ends others' runs only after a whole lease of its own.
      await expect
        .poll(async () => (await oldestLease(database)).started, { timeout: 5_000 })
        .toBeGreaterThan(2.5);
      nodes.redis.delay(600_000);
      await database.query(`
        insert into completion_run (id, workspace_id, caller, status, model, input, plan, node_id, progress_seq)
        select gen_random_uuid(), (select id from workspace limit 1), 'key:1', 'RUNNING', 'auto', '{}', '{}', gen_random_uuid(), 7
        from generate_series(1, 5)`);
      let oldest = 0;
      await expect
        .poll(
          async () => {
            oldest = Math.max(oldest, (await oldestLease(database)).silent);
            const { rows } = await database.query(
              "select count(*)::int as count from completion_run where status = 'RUNNING'",
            );
            return rows[0].count;
          },
          { timeout: 8_000, interval: 100 },
        )
        .toBe(0);
      expect(oldest).toBeLessThan(2);
      const { rows } = await database.query(
        "select distinct status, error->>'code' as code, last_seq from completion_run",
      );
      expect(rows).toEqual([{ status: 'INTERRUPTED', code: 'NODE_LOST', last_seq: 1_000_007 }]);
    } finally {
      nodes.redis.delay(0);
      nodes.redis.cut();
      nodes.redis.mend();
      await database.end();
    }
  });
});

async function oldestLease(database: pg.Client): Promise<{ started: number; silent: number }> {
  const { rows } = await database.query(`
    select extract(epoch from now() - min(started_at))::float8 as started,
      extract(epoch from now() - min(renewed_at))::float8 as silent from node_lease`);
  return rows[0];
}

describeTwoNodes('strict events', () => {
  test('twenty strict streams at once are read from the start to their end, though Redis is slow', async () => {
    const nodes = await startTwoNodes({ EVENT_DURABILITY: 'strict' });
    nodes.redis.delay(15);
    await using socket = openSocket(nodes.a, nodes.key);
    const streams = await Promise.all(
      Array.from({ length: 20 }, () => collect(socket.stream(sandboxInput({ tokens: 8 })))),
    );
    for (const events of streams) {
      checkStream(events);
      expect(events.at(-1)?.__typename).toBe('CompletionFinished');
    }
  });
});
