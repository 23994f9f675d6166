import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { type CompletionEvent, streamCompletion } from '../../src/client/stream-completion.ts';
import { createDatabase, postgresUsable } from '../support/databases.ts';
import { seededRandom } from '../support/random.ts';
import { REDIS_URL, redisUsable } from '../support/redis.ts';
import { startRoundRobin } from '../support/round-robin.ts';
import {
  buildServer,
  SERVER_KEY,
  type ServerProcess,
  startServerProcess,
} from '../support/server-process.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

/** Short by default; `SOAK_SECONDS=600` for the long one. */
const SECONDS = Number(process.env.SOAK_SECONDS ?? 20);
const CLIENTS = 12;
/** What compiled code, caches and the collector's slack come to; a leak is more with every minute. */
const GROWTH_MIB = 200;
/** No reader needs so long, whatever happens. */
const MAX_READ_MS = 60_000;
const PIECES = 'abcdefghij';

interface Outcome {
  readonly status: string;
  readonly whole: boolean;
  /** What was read instead, for whoever looks into it. */
  readonly read?: string;
}

describe.skipIf(!(postgresUsable() && redisUsable()))('a soak', () => {
  const closers: (() => Promise<unknown>)[] = [];

  beforeAll(() => buildServer());
  afterAll(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });

  test(
    `of ${SECONDS} seconds on two nodes: sockets cut, nodes killed and started, Redis stopped; every reader that keeps trying reads its run to one end`,
    async () => {
      const random = seededRandom(20_261_121);
      const database = await createDatabase('postgresql');
      closers.push(() => database.drop());
      const redis = await startTcpProxy(Number(new URL(REDIS_URL).port || 6379));
      closers.push(async () => redis[Symbol.asyncDispose]());
      const environment = {
        DATABASE_URL: database.url ?? '',
        REDIS_URL: redis.redisUrl,
        SECRET_KEYS: `test:${randomBytes(32).toString('base64')}`,
        LEASE_SECONDS: '2',
        LOG_LEVEL: 'error',
      };
      const nodes: ServerProcess[] = [];
      for (const _name of ['a', 'b']) nodes.push(await startServerProcess(environment));
      closers.push(() => Promise.all(nodes.map((node) => node.stop('SIGKILL'))));
      const ports = () => nodes.map(({ url }) => Number(new URL(url).port));
      const proxy = await startRoundRobin(ports());
      closers.push(() => proxy.close());

      const endMs = performance.now() + SECONDS * 1_000;
      const going = () => performance.now() < endMs;
      const outcomes: Outcome[] = [];
      const client = async (number: number) => {
        while (going()) outcomes.push(await readOne(number));
      };
      const readOne = async (number: number): Promise<Outcome> => {
        const text = Array.from(
          { length: 20 + Math.floor(random() * 80) },
          (_value, index) => PIECES[index % PIECES.length],
        ).join(' ');
        const events: CompletionEvent[] = [];
        const stream = streamCompletion({
          url: `${proxy.url}/graphql`,
          key: SERVER_KEY,
          door: number % 2 === 0 ? 'ws' : 'sse',
          webSocketImpl: WebSocket,
          patienceMs: 30_000,
          silenceMs: 13_000,
          signal: AbortSignal.timeout(MAX_READ_MS),
          input: {
            model: 'sandbox/sandbox-text',
            messages: [{ role: 'USER', text: 'Hello' }],
            providerOptions: { sandbox: { text, tokensPerSecond: 60, firstTokenMs: 0 } },
          },
        });
        for await (const event of stream) events.push(event);
        const ends = events.filter((event) => 'completion' in event);
        const end = ends[0];
        if (ends.length !== 1 || !end || !('completion' in end)) {
          const seen = events.map(({ __typename, seq }) => `${__typename} ${seq}`).slice(-3);
          throw new Error(`${ends.length} ends of ${events[0]?.completionId}, reader ${number}: ${seen}`);
        }
        const read = events.map((event) => (event.__typename === 'TextDelta' ? event.text : '')).join('');
        const { status, text: kept } = end.completion;
        // A node that was killed may have shown less than it had recorded, or more than it had logged; what finished is whole.
        const whole = status === 'FINISHED' ? read === text && kept === text : text.startsWith(read);
        const seqs = events.map((event) => event.seq).join();
        return { status, whole, ...(whole ? {} : { read, kept, text, seqs }) };
      };

      const chaos = async () => {
        let stops = 0;
        while (going()) {
          await pause(500 + random() * 1_000);
          const what = random();
          if (what < 0.5) proxy.cut();
          else if (what < 0.75) {
            const index = random() < 0.5 ? 0 : 1;
            await nodes[index]?.stop('SIGKILL');
            nodes[index] = await startServerProcess(environment);
            proxy.use(ports());
          } else if (stops < 2) {
            stops += 1;
            redis.cut();
            await pause(1_000);
            redis.mend();
          }
        }
      };
      await Promise.all<unknown>([
        chaos(),
        ...Array.from({ length: CLIENTS }, (_value, number) => client(number)),
      ]);

      expect(outcomes.length).toBeGreaterThan(SECONDS);
      expect(outcomes.filter(({ whole }) => !whole)).toEqual([]);
      expect([...new Set(outcomes.map(({ status }) => status))].sort()).toEqual(
        expect.arrayContaining(['FINISHED']),
      );
      for (const { status } of outcomes) expect(['FINISHED', 'INTERRUPTED']).toContain(status);
      const running = async () =>
        (await nodes[0]?.graph('{ completions(first: 1, filter: { status: RUNNING }) { totalCount } }'))?.data
          .completions.totalCount;
      await expect.poll(running, { timeout: 10_000 }).toBe(0);
      const total = (await nodes[0]?.graph('{ completions(first: 1) { totalCount } }'))?.data.completions
        .totalCount;
      // No reconnect has started a second run.
      expect(total).toBe(outcomes.length);
      // A node that has just started, with nothing done yet, is what they are measured by.
      const fresh = await startServerProcess(environment);
      closers.push(() => fresh.stop('SIGKILL'));
      const most = residentMiB(fresh.child.pid ?? 0) + GROWTH_MIB;
      for (const { child } of nodes) {
        await expect
          .poll(() => residentMiB(child.pid ?? 0), { timeout: 30_000, interval: 1_000 })
          .toBeLessThan(most);
      }
    },
    (SECONDS + 90) * 1_000,
  );
});

function residentMiB(pid: number): number {
  const [, pages = '0'] = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ');
  return (Number(pages) * 4_096) / 1_048_576;
}
