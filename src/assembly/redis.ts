// Owns the connections to Redis, where there is one.
import type { Config } from '../configuration/config.ts';
import { RedisBus } from '../coordination/redis/bus.ts';
import { RedisLink } from '../coordination/redis/link.ts';
import type { Logger } from '../kernel/logger.ts';
import type { Telemetry } from '../kernel/telemetry.ts';

/** What is to be closed, in reverse, when the node goes away. */
export type Opened = (() => Promise<void> | void)[];

export interface SharedRedis {
  readonly link: RedisLink;
  readonly bus: RedisBus;
}

/** `undefined` where the node keeps everything itself. */
export async function openRedis(
  config: Config,
  logger: Logger,
  telemetry: Telemetry,
  opened: Opened,
): Promise<SharedRedis | undefined> {
  if (!config.redisUrl) return undefined;
  const link = new RedisLink({ url: config.redisUrl.reveal(), telemetry, commandMs: config.redisTimeoutMs });
  opened.push(() => link.close());
  if (!(await link.ready())) logger.warn({}, 'Redis does not answer yet; this node goes on without it');
  const bus = new RedisBus({ link, logger });
  opened.push(() => bus.close());
  return { link, bus };
}
