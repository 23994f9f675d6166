import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { RedisBus } from '../../../src/coordination/redis/bus.ts';
import { createRedisCircuitStore } from '../../../src/coordination/redis/circuit-store.ts';
import { RedisLink } from '../../../src/coordination/redis/link.ts';
import { Circuits } from '../../../src/domain/routing/circuits.ts';
import { systemClock } from '../../../src/kernel/clock.ts';
import { silentLogger } from '../../../src/kernel/logger.ts';
import { silentTelemetry } from '../../../src/kernel/telemetry.ts';
import { REDIS_URL, withRedis } from '../../support/redis.ts';

async function openNode(prefix: string, openMs = 200, url = REDIS_URL) {
  const link = new RedisLink({ url, telemetry: silentTelemetry, commandMs: 500 });
  await link.ready(1_000);
  const bus = new RedisBus({ link, logger: silentLogger, prefix: `${prefix}:` });
  const store = createRedisCircuitStore({
    link,
    bus,
    logger: silentLogger,
    clock: systemClock,
    prefix,
  });
  const settings = { enabled: true, failuresInRow: 2, windowSize: 20, slowMs: 60_000, openMs };
  const circuits = new Circuits({ store, clock: systemClock, telemetry: silentTelemetry, settings });
  return {
    store,
    circuits,
    fail: (key: string) =>
      circuits.record(key, { result: 'failure', firstTokenMs: null, reason: 'down' }, 'go', true),
    async [Symbol.asyncDispose]() {
      circuits.close();
      await bus.close();
      await link.close();
    },
  };
}

withRedis('circuits shared by Redis', () => {
  test('a circuit in Redis opens on every node, lets one probe of all through, and closes on every node', async () => {
    const prefix = `test:${randomUUID()}`;
    await using one = await openNode(prefix);
    await using two = await openNode(prefix);
    // Both hear news once their subscriptions stand.
    await expect
      .poll(() => {
        one.fail('k');
        return two.circuits.view('k').state;
      })
      .toBe('OPEN');
    expect(two.circuits.view('k').reason).toBe('down');
    await expect.poll(() => two.circuits.view('k').state).toBe('HALF_OPEN');
    await expect.poll(() => one.circuits.view('k').state).toBe('HALF_OPEN');
    const admitted = await Promise.all(
      [one, two, one, two].map(({ circuits }) => circuits.admit('k', false)),
    );
    expect(admitted.filter((admission) => admission === 'probe')).toHaveLength(1);
    two.circuits.record('k', { result: 'success', firstTokenMs: 1 }, 'probe', true);
    await expect.poll(() => one.circuits.view('k').state).toBe('CLOSED');
  });

  test('circuits in Redis are known to a node that starts later', async () => {
    const prefix = `test:${randomUUID()}`;
    await using one = await openNode(prefix, 60_000);
    one.fail('k');
    one.fail('k');
    await using later = await openNode(prefix, 60_000);
    await expect.poll(() => later.circuits.view('k').state).toBe('OPEN');
    later.circuits.reset('k');
    await expect.poll(() => one.circuits.view('k').state).toBe('CLOSED');
  });

  test('a probe that took too long does not end the one that another node makes now', async () => {
    const prefix = `test:${randomUUID()}`;
    await using one = await openNode(prefix);
    await using two = await openNode(prefix);
    await using three = await openNode(prefix);
    expect(await one.store.acquireProbe('k', 20)).toBe(true);
    await expect.poll(() => two.store.acquireProbe('k', 60_000)).toBe(true);
    one.store.releaseProbe('k');
    // Asked later than the release on the same connection.
    expect(await one.store.acquireProbe('k', 60_000)).toBe(false);
    expect(await three.store.acquireProbe('k', 60_000)).toBe(false);
    two.store.releaseProbe('k');
    await expect.poll(() => three.store.acquireProbe('k', 60_000)).toBe(true);
  });

  test('a node without Redis lets one probe of a circuit through, not one for each that asks', async () => {
    await using lost = await openNode(`test:${randomUUID()}`, 200, 'redis://127.0.0.1:9');
    const admitted = await Promise.all([1, 2, 3].map(() => lost.store.acquireProbe('k', 60_000)));
    expect(admitted).toEqual([true, false, false]);
  });
});
