// Owns the choice of where the state that nodes share during runs is kept: in this process, or in Redis where there is one.
import type { Config } from '../configuration/config.ts';
import type { CircuitStore, EventLog, Limiter } from '../coordination/contract.ts';
import { createMemoryCircuitStore } from '../coordination/memory/circuit-store.ts';
import { MemoryEventLog } from '../coordination/memory/event-log.ts';
import { MemoryLimiter } from '../coordination/memory/limiter.ts';
import { ShareLimiter } from '../coordination/memory/share-limiter.ts';
import { createRedisCircuitStore } from '../coordination/redis/circuit-store.ts';
import { RedisEventLog } from '../coordination/redis/event-log.ts';
import { RedisLimiter } from '../coordination/redis/limiter.ts';
import { decodeEvent, encodeEvent } from '../domain/runs/event-codec.ts';
import { bytesOfEvent } from '../domain/runs/event-size.ts';
import type { Kinds } from '../domain/runs/kinds.ts';
import { isEnd, type RunEvent } from '../domain/runs/run-event.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Basics } from './basics.ts';
import type { SharedRedis } from './redis.ts';

/** In both cases the readers on this node are served from its memory. */
export function openEventLog(
  config: Pick<Config, 'eventRetentionMs' | 'eventLogMaxBytes' | 'strictEvents'>,
  { logger, clock }: Basics,
  shared: SharedRedis | undefined,
  kinds: Kinds,
): EventLog<RunEvent> {
  const options = {
    clock,
    retentionMs: config.eventRetentionMs,
    maxEndedBytes: config.eventLogMaxBytes,
    bytesOf: (event: RunEvent) => bytesOfEvent(event, kinds),
  };
  if (!shared) return new MemoryEventLog<RunEvent>(options);
  return new RedisEventLog<RunEvent>({
    ...options,
    ...shared,
    logger,
    encode: encodeEvent,
    decode: (text: string) => decodeEvent(text, kinds),
    isEnd,
    strict: config.strictEvents,
  });
}

export function openCircuitStore({ logger, clock }: Basics, shared: SharedRedis | undefined): CircuitStore {
  return shared ? createRedisCircuitStore({ ...shared, logger, clock }) : createMemoryCircuitStore({ clock });
}

/** All nodes count together where there is a Redis. Without it, and while it is away, each node grants its share of each limit. */
export function openLimiter(shared: SharedRedis | undefined, clock: Clock, nodes: () => number): Limiter {
  const alone = new ShareLimiter(new MemoryLimiter({ clock }), nodes);
  return shared ? new RedisLimiter({ link: shared.link, alone }) : alone;
}
