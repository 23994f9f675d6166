import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { RedisBus } from '../../../src/coordination/redis/bus.ts';
import { RedisEventLog } from '../../../src/coordination/redis/event-log.ts';
import { RedisLink } from '../../../src/coordination/redis/link.ts';
import { systemClock } from '../../../src/kernel/clock.ts';
import { silentLogger } from '../../../src/kernel/logger.ts';
import { silentTelemetry } from '../../../src/kernel/telemetry.ts';
import { eventLogContract, eventOf, range, readAll, type TestEvent } from '../../contracts/event-log.ts';
import { REDIS_URL, withRedis } from '../../support/redis.ts';
import { startTcpProxy } from '../../support/tcp-proxy.ts';

async function openNode(prefix: string, { url = REDIS_URL, strict = false, retentionMs = 60_000 } = {}) {
  const link = new RedisLink({ url, telemetry: silentTelemetry, commandMs: 200, probeEveryMs: 50 });
  await link.ready();
  const bus = new RedisBus({ link, logger: silentLogger, prefix });
  const log = new RedisEventLog<TestEvent>({
    clock: systemClock,
    retentionMs,
    maxEndedBytes: 1_000_000,
    bytesOf: () => 100,
    link,
    bus,
    logger: silentLogger,
    encode: JSON.stringify,
    decode: (text) => JSON.parse(text) as TestEvent,
    isEnd: ({ end }) => end === true,
    strict,
    prefix,
  });
  return {
    log,
    link,
    async [Symbol.asyncDispose]() {
      await log.dispose();
      await bus.close();
      await link.close();
    },
  };
}

async function openPair(options: { strict?: boolean } = {}) {
  const prefix = `test:${randomUUID()}:`;
  const owner = await openNode(prefix, options);
  const other = await openNode(prefix, options);
  return {
    log: owner.log,
    other: other.log,
    async [Symbol.asyncDispose]() {
      await owner[Symbol.asyncDispose]();
      await other[Symbol.asyncDispose]();
    },
  };
}

withRedis('the event log in Redis', () => {
  describe('as an event log', () => eventLogContract(() => openPair()));
  describe('as a strict event log', () => eventLogContract(() => openPair({ strict: true })));

  test('the event log in Redis takes more events at once than a call takes arguments', async () => {
    const prefix = `test:${randomUUID()}:`;
    {
      await using node = await openNode(prefix);
      node.log.append('many', range(1, 200_000));
      expect(await node.log.lastSeq('many')).toBe(200_000);
    }
    const redis = new Redis(REDIS_URL);
    await redis.del(`${prefix}many`);
    await redis.quit();
  });

  test('the event log in Redis shows the owner’s readers an event at once, and a strict one only when Redis has it', async () => {
    await using proxy = await startTcpProxy(6379);
    proxy.delay(300);
    const prefix = `test:${randomUUID()}:`;
    await using relaxed = await openNode(prefix, { url: proxy.redisUrl });
    relaxed.log.append('relaxed', range(1, 1));
    expect(relaxed.log.read('relaxed', 0, 10)).toMatchObject({ events: [eventOf(1)] });
    await using strict = await openNode(prefix, { strict: true });
    await using reader = await openNode(prefix);
    strict.log.append('strict', range(1, 1));
    expect(strict.log.read('strict', 0, 10)).toEqual({ events: [], state: 'open' });
    await expect.poll(() => strict.log.read('strict', 0, 10)).toMatchObject({ events: [eventOf(1)] });
    expect(await reader.log.lastSeq('strict')).toBe(1);
  });

  test('a log in Redis expires after the retention, and is kept by the owner until Redis has its end', async () => {
    const prefix = `test:${randomUUID()}:`;
    await using owner = await openNode(prefix, { retentionMs: 5_000 });
    const redis = new Redis(REDIS_URL);
    owner.log.append('r', [...range(1, 2), eventOf(3, { end: true })]);
    owner.log.close('r');
    await expect.poll(() => redis.pttl(`${prefix}r`)).toBeGreaterThan(4_000);
    expect(await redis.pttl(`${prefix}r`)).toBeLessThanOrEqual(5_000);
    redis.disconnect();
  });

  test('an outage of Redis loses no event: what came meanwhile is appended when Redis is back, to an empty one too', async () => {
    await using proxy = await startTcpProxy(6379);
    const prefix = `test:${randomUUID()}:`;
    await using owner = await openNode(prefix, { url: proxy.redisUrl });
    await using other = await openNode(prefix);
    owner.log.append('r', range(1, 10));
    await expect.poll(() => other.log.lastSeq('r')).toBe(10);
    const reading = readAll(other.log, 'r', 0);
    proxy.cut();
    owner.log.append('r', range(11, 20));
    // The owner's own readers never notice.
    expect(owner.log.read('r', 15, 10)).toMatchObject({ events: range(16, 20) });
    proxy.mend();
    await expect.poll(() => other.log.lastSeq('r'), { timeout: 5_000 }).toBe(20);
    const redis = new Redis(REDIS_URL);
    proxy.cut();
    await redis.del(`${prefix}r`);
    owner.log.append('r', [eventOf(21, { end: true })]);
    owner.log.close('r');
    proxy.mend();
    await expect.poll(() => other.log.lastSeq('r'), { timeout: 5_000 }).toBe(21);
    expect((await redis.xrange(`${prefix}r`, '-', '+')).map(([id]) => id)).toEqual(
      range(1, 21).map(({ seq }) => `${seq}-0`),
    );
    redis.disconnect();
    expect(await reading).toEqual(range(1, 21).map(({ seq }) => seq));
  });

  test('a strict log shows its owner’s readers what reached Redis although the answer was lost, the end included', async () => {
    await using proxy = await startTcpProxy(6379);
    const prefix = `test:${randomUUID()}:`;
    await using owner = await openNode(prefix, { url: proxy.redisUrl, strict: true });
    await using other = await openNode(prefix);
    owner.log.append('r', range(1, 3));
    const reading = readAll(owner.log, 'r', 0);
    await expect.poll(() => owner.log.read('r', 0, 10)).toMatchObject({ events: range(1, 3) });
    const loseAnswers = async (write: () => void, last: number) => {
      proxy.delay(60_000);
      write();
      await expect.poll(() => other.log.lastSeq('r')).toBe(last);
      proxy.cut();
      proxy.delay(0);
      proxy.mend();
    };
    await loseAnswers(() => owner.log.append('r', range(4, 6)), 6);
    await expect.poll(() => owner.log.read('r', 0, 10)).toMatchObject({ events: range(1, 6) });
    owner.log.append('r', range(7, 8));
    await expect.poll(() => other.log.lastSeq('r')).toBe(8);
    await loseAnswers(() => {
      owner.log.append('r', [eventOf(9, { end: true })]);
      owner.log.close('r');
    }, 9);
    expect(await reading).toEqual(range(1, 9).map(({ seq }) => seq));
  });

  test('a reader of a strict log that comes before Redis has confirmed anything is woken by the first event', async () => {
    await using proxy = await startTcpProxy(6379);
    await using owner = await openNode(`test:${randomUUID()}:`, { url: proxy.redisUrl, strict: true });
    proxy.delay(50);
    owner.log.append('r', [...range(1, 2), eventOf(3, { end: true })]);
    owner.log.close('r');
    expect(await readAll(owner.log, 'r', 0)).toEqual([1, 2, 3]);
  });

  test('an end by another hand that Redis cannot take now is written when Redis is back', async () => {
    await using proxy = await startTcpProxy(6379);
    const prefix = `test:${randomUUID()}:`;
    await using owner = await openNode(prefix);
    await using taker = await openNode(prefix, { url: proxy.redisUrl });
    owner.log.append('r', range(1, 3));
    await expect.poll(() => taker.log.lastSeq('r')).toBe(3);
    proxy.cut();
    taker.log.conclude('r', [eventOf(1_000_003, { end: true })]);
    proxy.mend();
    await expect
      .poll(() => owner.link.command((redis) => redis.xlen(`${prefix}r`)), { timeout: 5_000 })
      .toBe(4);
  });

  test('events that a log lacks before an end are only taken if they follow what is there at that moment', async () => {
    await using pair = await openPair();
    pair.log.append('r', range(1, 4));
    await expect.poll(() => pair.other.lastSeq('r')).toBe(4);
    // Whoever computed this had read the log when it reached up to 2.
    pair.other.conclude('r', [eventOf(3), eventOf(5, { end: true })]);
    pair.other.conclude('other', [...range(1, 1), eventOf(2, { end: true })]);
    await expect.poll(() => pair.log.lastSeq('other')).toBe(2);
    expect(await pair.other.read('r', 0, 10)).toMatchObject({ events: range(1, 4), state: 'open' });
  });

  test('an owner of a log that another node has replaced cannot write behind the end', async () => {
    await using pair = await openPair();
    pair.log.append('r', range(1, 3));
    await expect.poll(() => pair.other.lastSeq('r')).toBe(3);
    pair.other.conclude('r', [eventOf(1_000_003, { end: true })]);
    await expect.poll(() => pair.other.lastSeq('r')).toBe(1_000_003);
    pair.log.append('r', range(4, 6));
    await expect.poll(() => pair.other.read('r', 0, 100)).toMatchObject({ state: 'closed' });
    const { events } = await pair.other.read('r', 0, 100);
    expect(events.map(({ seq }) => seq)).toEqual([1, 2, 3, 1_000_003]);
  });

  test('a reader on another node is known to the owner of the log while it follows', async () => {
    await using pair = await openPair();
    pair.log.append('r', range(1, 1));
    expect(await pair.log.lastFollowedElsewhere('r')).toBeUndefined();
    const unfollow = pair.other.follow('r', () => {});
    await expect.poll(() => pair.log.lastFollowedElsewhere('r')).toBe(0);
    unfollow();
    // How long ago it left can be told for a while.
    await expect.poll(() => pair.log.lastFollowedElsewhere('r'), { timeout: 6_000 }).toBeGreaterThan(500);
    await expect.poll(() => pair.log.lastFollowedElsewhere('r'), { timeout: 6_000 }).toBeUndefined();
  });
});
