// Owns the form of an entry of a run's log in Redis: the place in its id, the event's text, and a mark on the entry that ends the run.
import type { Redis } from 'ioredis';

export type LogEntryReply = [id: string, fields: string[]];

/** The last entry of a log, if there is any. */
export async function lastEntry(redis: Redis, key: string): Promise<LogEntryReply | undefined> {
  const [last] = (await redis.xrevrange(key, '+', '-', 'COUNT', 1)) as LogEntryReply[];
  return last;
}

export function seqOf([id]: LogEntryReply): number {
  return Number(id.split('-', 1)[0]);
}

export function textOf([, fields]: LogEntryReply): string {
  return fields[fields.indexOf('e') + 1] ?? '';
}

export function isEndEntry([, fields]: LogEntryReply): boolean {
  return fields.length > 2;
}
