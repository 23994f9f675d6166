import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import {
  type CompletionEvent,
  type CompletionInput,
  streamCompletion,
} from '../../src/client/stream-completion.ts';
import { createDatabase, postgresUsable } from '../support/databases.ts';
import { startFakeUpstream } from '../support/fake-upstream.ts';
import { GARBAGE_ANSWERS } from '../support/garbage-answers.ts';
import { discrepanciesOf, plainSql } from '../support/ledger.ts';
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
const TEXT_MODEL = 'sandbox/sandbox-text';
/** What those ask for who leave while their run is being begun: counted apart, since it may or may not have begun. */
const LEFT_MODEL = 'sandbox/sandbox-tools';

interface Outcome {
  readonly status: string;
  readonly whole: boolean;
  /** What was read instead, for whoever looks into it. */
  readonly read?: string;
}

describe.skipIf(!(postgresUsable() && redisUsable()))('soak', () => {
  const closers: (() => Promise<unknown>)[] = [];

  beforeAll(() => buildServer());
  afterAll(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });

  test(
    `a soak of ${SECONDS} seconds on two nodes lets every reader that keeps trying read its run to one end: sockets cut, nodes killed and started, Redis stopped, garbage in every tenth answer, clients that leave while their run begins`,
    async () => {
      const random = seededRandom(20_261_121);
      const database = await createDatabase('postgresql');
      closers.push(() => database.drop());
      const redis = await startTcpProxy(Number(new URL(REDIS_URL).port || 6379));
      closers.push(async () => redis[Symbol.asyncDispose]());
      const environment = {
        DATABASE_URL: database.url ?? '',
        REDIS_URL: redis.redisUrl,
        BILLING: 'on',
        SECRET_KEYS: `test:${randomBytes(32).toString('base64')}`,
        LEASE_SECONDS: '2',
        LOG_LEVEL: 'error',
      };
      let answers = 0;
      const upstream = await startFakeUpstream(
        () => (GARBAGE_ANSWERS[answers++ % GARBAGE_ANSWERS.length] as (typeof GARBAGE_ANSWERS)[number])[1],
      );
      closers.push(() => upstream.close());
      const nodes = [await startServerProcess(environment)];
      closers.push(() => Promise.all(nodes.map((node) => node.stop('SIGKILL'))));
      const garbage = await setUpGarbage(nodes[0] as ServerProcess, upstream.url);
      // It begins with what the first has set up.
      nodes.push(await startServerProcess(environment));
      const ports = () => nodes.map(({ url }) => Number(new URL(url).port));
      const proxy = await startRoundRobin(ports());
      closers.push(() => proxy.close());

      const endMs = performance.now() + SECONDS * 1_000;
      const going = () => performance.now() < endMs;
      const outcomes: Outcome[] = [];
      const ofGarbage: CompletionEvent[] = [];
      const client = async (number: number) => {
        for (let turn = number; going(); turn += 1) {
          if (turn % 10 === 3) ofGarbage.push((await readRun(number, { model: garbage })).end);
          else if (turn % 10 === 7) await leaveSoon(number);
          else outcomes.push(await readOne(number));
        }
      };
      const stream = (number: number, input: Partial<CompletionInput>, signal: AbortSignal) =>
        streamCompletion({
          url: `${proxy.url}/graphql`,
          key: SERVER_KEY,
          door: number % 2 === 0 ? 'ws' : 'sse',
          webSocketImpl: WebSocket,
          patienceMs: 30_000,
          silenceMs: 13_000,
          signal,
          input: { model: TEXT_MODEL, messages: [{ role: 'USER', text: 'Hello' }], ...input },
        });
      /** All events of a run, the last of which is its only end. */
      const readRun = async (number: number, input: Partial<CompletionInput>) => {
        const events: CompletionEvent[] = [];
        for await (const event of stream(number, input, AbortSignal.timeout(MAX_READ_MS))) events.push(event);
        const ends = events.filter((event) => 'completion' in event);
        const end = ends[0];
        if (ends.length !== 1 || !end || end !== events.at(-1)) {
          const seen = events.map(({ __typename, seq }) => `${__typename} ${seq}`).slice(-3);
          throw new Error(`${ends.length} ends of ${events[0]?.completionId}, reader ${number}: ${seen}`);
        }
        return { events, end };
      };
      /** Before, during or after the begin, as it comes. */
      const leaveSoon = async (number: number) => {
        const input = {
          model: LEFT_MODEL,
          onDetach: 'CANCEL' as const,
          detachGraceMs: 200,
          providerOptions: { sandbox: { tokens: 100, tokensPerSecond: 60, firstTokenMs: 0 } },
        };
        try {
          for await (const _event of stream(number, input, AbortSignal.timeout(1 + random() * 40)));
        } catch {
          // Whoever leaves is told nothing.
        }
      };
      const readOne = async (number: number): Promise<Outcome> => {
        const text = Array.from(
          { length: 20 + Math.floor(random() * 80) },
          (_value, index) => PIECES[index % PIECES.length],
        ).join(' ');
        const { events, end } = await readRun(number, {
          providerOptions: { sandbox: { text, tokensPerSecond: 60, firstTokenMs: 0 } },
        });
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
      expect(ofGarbage.length).toBeGreaterThan(SECONDS / 10);
      const running = async () =>
        (await nodes[0]?.graph('{ completions(first: 1, filter: { status: RUNNING }) { totalCount } }'))?.data
          .completions.totalCount;
      await expect.poll(running, { timeout: 10_000 }).toBe(0);
      const total = async (canonicalId: string) =>
        (
          await nodes[0]?.graph(
            'query ($canonicalId: String) { completions(first: 1, filter: { canonicalId: $canonicalId }) { totalCount } }',
            { canonicalId },
          )
        )?.data.completions.totalCount;
      // No reconnect has started a second run.
      expect(await total(TEXT_MODEL)).toBe(outcomes.length);
      expect(await total(garbage)).toBe(ofGarbage.length);
      // Every run is settled: nothing is held any more, and the books are right.
      expect(await plainSql(database.url ?? '', 'select * from hold')).toEqual([]);
      expect(await discrepanciesOf(database.url ?? '')).toEqual([]);
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

/** A paid model whose provider answers garbage; gives its canonical id. */
async function setUpGarbage({ graph }: ServerProcess, baseUrl: string): Promise<string> {
  const { data, errors } = await graph(
    `mutation ($baseUrl: String!) {
       createProviderSpec(input: {key: "garbage", displayName: "Garbage", protocol: "openai-chat", baseUrl: $baseUrl}) { userErrors { message } }
       createProviderConfig(input: {name: "Garbage", providerKey: "garbage", secret: "sk-0123456789abcdef"}) { userErrors { message } }
       createModelSpec(input: {key: "garbage", providerKey: "garbage"}) { modelSpec { canonicalId } userErrors { message } }
       setPrice(input: {canonicalId: "garbage/garbage", input: "1", output: "1"}) { userErrors { message } }
       creditAccount(input: {amount: "1000", description: "Soak", idempotencyKey: "soak"}) { userErrors { message } } }`,
    { baseUrl },
  );
  const wrong = errors ?? Object.values(data as Record<string, any>).flatMap(({ userErrors }) => userErrors);
  if (wrong.length > 0) throw new Error(JSON.stringify(wrong));
  return data.createModelSpec.modelSpec.canonicalId;
}

function residentMiB(pid: number): number {
  const [, pages = '0'] = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ');
  return (Number(pages) * 4_096) / 1_048_576;
}
