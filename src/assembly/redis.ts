// Owns the connections to Redis, where there is one.
import type { Config } from '../configuration/config.ts';
import { RedisBus } from '../coordination/redis/bus.ts';
import { RedisLink } from '../coordination/redis/link.ts';
import type { Basics } from './basics.ts';

export interface SharedRedis {
  readonly link: RedisLink;
  readonly bus: RedisBus;
}

/** `undefined` where no Redis is configured: the node then keeps all shared state in its own memory. */
export async function openRedis(
  config: Pick<Config, 'redisUrl' | 'redisTimeoutMs'>,
  { logger, telemetry, parts }: Pick<Basics, 'logger' | 'telemetry' | 'parts'>,
): Promise<SharedRedis | undefined> {
  if (!config.redisUrl) return undefined;
  const link = new RedisLink({ url: config.redisUrl.reveal(), telemetry, commandMs: config.redisTimeoutMs });
  parts.add('connections', () => link.close());
  if (!(await link.ready())) logger.warn({}, 'Redis does not answer yet; this node goes on without it');
  const bus = new RedisBus({ link, logger });
  parts.add('connections', () => bus.close());
  return { link, bus };
}
