// Owns circuits as all nodes see them by Redis: news go out by pub/sub, what is open stays for nodes that start later, a probe is a key with a time.
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { isJsonObject, parseJson } from '../../kernel/json.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { CircuitNews, CircuitStore } from '../contract.ts';
import type { RedisBus } from './bus.ts';
import type { RedisLink } from './link.ts';

export interface RedisCircuitStoreOptions {
  readonly link: RedisLink;
  readonly bus: RedisBus;
  readonly logger: Logger;
  readonly prefix?: string;
}

/** What is told of a circuit is forgotten after this, for one whose model is gone. */
const KEPT_SECONDS = 3_600;
const PREFIX = 'mg:circuit';
const NEWS = 'circuits';

export function createRedisCircuitStore({
  link,
  bus,
  logger,
  prefix = PREFIX,
}: RedisCircuitStoreOptions): CircuitStore {
  const sender = randomUUID();
  const listeners = new Set<(news: CircuitNews) => void>();
  const known = `${prefix}:known`;

  const hear = (text: string) => {
    const news = parseJson(text);
    if (!isJsonObject(news) || news.sender === sender || typeof news.key !== 'string') return;
    const { key, openUntilMs, reason, quietUntilMs } = news as unknown as CircuitNews;
    for (const listener of listeners) listener({ key, openUntilMs, reason, quietUntilMs });
  };
  bus.listen(NEWS, hear);
  // With each connection, what was missed meanwhile is read again.
  bus.onReady(() => {
    link
      .behind((redis) => redis.hgetall(known))
      .then((all) => Object.values(all).forEach(hear))
      .catch((error: unknown) => logger.debug({ err: error }, 'Circuits could not be read from Redis'));
  });

  /** Whoever asked goes on at once; what is lost in an outage each node finds out by itself. */
  const tell = (work: (redis: Redis) => Promise<unknown>) => {
    link.behind(work).catch(() => {});
  };

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
      try {
        return (
          (await link.command((redis) => redis.set(`${prefix}:probe:${key}`, sender, 'PX', forMs, 'NX'))) !==
          null
        );
      } catch {
        // Without Redis each node probes by itself.
        return true;
      }
    },
    releaseProbe: (key) => tell((redis) => redis.del(`${prefix}:probe:${key}`)),
  };
}
