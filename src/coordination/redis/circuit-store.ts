// Owns circuits shared by all nodes through Redis: changes are published, open circuits are stored for nodes that start later, and a probe is a key that
// expires.
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Clock } from '../../kernel/clock.ts';
import { isJsonObject, parseJson } from '../../kernel/json.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { CircuitNews, CircuitStore } from '../contract.ts';
import { createMemoryCircuitStore } from '../memory/circuit-store.ts';
import type { RedisBus } from './bus.ts';
import { DELETE_IF } from './delete-if.ts';
import type { RedisLink } from './link.ts';

export interface RedisCircuitStoreOptions {
  readonly link: RedisLink;
  readonly bus: RedisBus;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly prefix?: string;
}

/** How long Redis keeps the news of a circuit, so that circuits of deleted models disappear. */
const KEPT_SECONDS = 3_600;
const PREFIX = 'mg:circuit';
const NEWS = 'circuits';

export function createRedisCircuitStore({
  link,
  bus,
  logger,
  clock,
  prefix = PREFIX,
}: RedisCircuitStoreOptions): CircuitStore {
  const sender = randomUUID();
  const listeners = new Set<(news: CircuitNews) => void>();
  const known = `${prefix}:known`;
  /** Grants one probe at a time on this node, whatever Redis says. */
  const own = createMemoryCircuitStore({ clock });

  const hear = (text: string) => {
    const news = parseJson(text);
    if (!isJsonObject(news) || news.sender === sender || typeof news.key !== 'string') return;
    const { key, openUntilMs, reason, quietUntilMs } = news as unknown as CircuitNews;
    for (const listener of listeners) listener({ key, openUntilMs, reason, quietUntilMs });
  };
  bus.listen(NEWS, hear);
  // News that was published while there was no connection is read after each new connection.
  bus.onReady(() => {
    link
      .behind((redis) => redis.hgetall(known))
      .then((all) => Object.values(all).forEach(hear))
      .catch((error: unknown) => logger.debug({ err: error }, 'Circuits could not be read from Redis'));
  });

  /** Sends without waiting for Redis. News that is lost in an outage each node learns by its own calls. */
  const tell = (work: (redis: Redis) => Promise<unknown>) => {
    link.behind(work).catch(() => {});
  };

  const probeOf = (key: string) => `${prefix}:probe:${key}`;

  return {
    publish(news) {
      const text = JSON.stringify({ ...news, sender });
      tell((redis) => redis.multi().hset(known, news.key, text).expire(known, KEPT_SECONDS).exec());
      bus.publish(NEWS, text);
    },
    follow(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async acquireProbe(key, forMs) {
      if (!own.acquireProbe(key, forMs)) return false;
      try {
        const set = await link.command((redis) => redis.set(probeOf(key), sender, 'PX', forMs, 'NX'));
        if (set === null) own.releaseProbe(key);
        return set !== null;
      } catch {
        // Without Redis each node probes by itself.
        return true;
      }
    },
    releaseProbe(key) {
      own.releaseProbe(key);
      // A probe that took too long is over: by now it may be another node's.
      tell((redis) => redis.eval(DELETE_IF, 1, probeOf(key), sender));
    },
  };
}
