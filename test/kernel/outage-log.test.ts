import { expect, test } from 'vitest';
import { GatewayError, SharedStateUnavailable, StorageError } from '../../src/kernel/errors.ts';
import type { Logger } from '../../src/kernel/logger.ts';
import { OutageLog } from '../../src/kernel/outage-log.ts';

test('an outage is one line in ten seconds, with the number of requests that were not logged', () => {
  let now = 0;
  const lines: any[] = [];
  const log = new OutageLog(
    { error: (fields: object) => lines.push(fields) } as unknown as Logger,
    () => now,
  );
  const away = (cause: Error) => new GatewayError('STORAGE_UNAVAILABLE', 'It does not answer', { cause });
  for (let request = 0; request < 100; request += 1)
    log.tell(away(new StorageError('unavailable', 'Refused')), 'r');
  log.tell(away(new SharedStateUnavailable('Redis is away')), 'r');
  now = 10_000;
  log.tell(away(new StorageError('unavailable', 'Refused')), 'r');
  expect(lines.map(({ cause, unlogged }) => [cause, unlogged])).toEqual([
    ['Refused', 0],
    ['Redis is away', 0],
    ['Refused', 99],
  ]);
});
