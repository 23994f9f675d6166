import { describe, expect, test } from 'vitest';
import { MemoryEventLog } from '../../../src/coordination/memory/event-log.ts';
import { systemClock } from '../../../src/kernel/clock.ts';
import { eventLogContract, eventOf, range, type TestEvent } from '../../contracts/event-log.ts';

function openLog(maxEndedBytes = 1_000_000) {
  const log = new MemoryEventLog<TestEvent>({
    clock: systemClock,
    retentionMs: 60_000,
    maxEndedBytes,
    bytesOf: () => 100,
  });
  return { log, other: log, [Symbol.asyncDispose]: () => log.dispose() };
}

describe('event log in the process', () => {
  eventLogContract(() => openLog());

  test('the event log in the process forgets the oldest ended runs beyond its bound, and never a running one', async () => {
    await using opened = openLog(1_000);
    opened.log.append('running', range(1, 50));
    for (const run of ['first', 'second', 'third']) {
      opened.log.append(run, [...range(1, 3), eventOf(4, { end: true })]);
      opened.log.close(run);
    }
    expect(opened.log.read('first', 0, 10).state).toBe('unknown');
    expect(opened.log.read('third', 0, 10)).toMatchObject({ state: 'closed' });
    expect(opened.log.read('running', 0, 100).events).toHaveLength(50);
  });
});
