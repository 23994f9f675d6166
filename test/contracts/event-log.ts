// Owns what every event log must hold to, whatever it keeps its events in: one owner appends, anybody reads from any place.
import { expect, test } from 'vitest';
import type { EventLog } from '../../src/coordination/contract.ts';

export interface TestEvent {
  readonly seq: number;
  readonly text: string;
  readonly end?: boolean;
}

export interface OpenedEventLog extends AsyncDisposable {
  /** The owner's. */
  readonly log: EventLog<TestEvent>;
  /** Another node's, or the same where there is one only. */
  readonly other: EventLog<TestEvent>;
}

export const eventOf = (seq: number, over: Partial<TestEvent> = {}): TestEvent => ({
  seq,
  text: `event ${seq}`,
  ...over,
});
export const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_value, index) => eventOf(from + index));

/** Reads as a reader does: from `after` on, until the log is closed. */
export async function readAll(
  log: EventLog<TestEvent>,
  runId: string,
  after: number,
  limit = 7,
): Promise<number[]> {
  const seen: number[] = [];
  let wake = () => {};
  const unfollow = log.follow(runId, () => wake());
  try {
    for (let at = after; ; ) {
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
      });
      const { events, state } = await log.read(runId, at, limit);
      seen.push(...events.map(({ seq }) => seq));
      at = events.at(-1)?.seq ?? at;
      if (events.length > 0) continue;
      if (state === 'closed') return seen;
      await woken;
    }
  } finally {
    unfollow();
  }
}

export function eventLogContract(open: () => OpenedEventLog | Promise<OpenedEventLog>): void {
  const seqs = async (log: EventLog<TestEvent>, runId: string, after: number, limit = 1_000) => {
    const { events, state } = await log.read(runId, after, limit);
    return { seqs: events.map(({ seq }) => seq), state };
  };

  test('an event log gives exactly the events beyond a place, to its owner and to others, while it grows and after its end', async () => {
    await using opened = await open();
    for (const log of [opened.log, opened.other]) {
      const run = crypto.randomUUID();
      opened.log.append(run, range(1, 5));
      await expect.poll(() => seqs(log, run, 0)).toEqual({ seqs: [1, 2, 3, 4, 5], state: 'open' });
      expect(await seqs(log, run, 3)).toEqual({ seqs: [4, 5], state: 'open' });
      expect(await seqs(log, run, 0, 2)).toEqual({ seqs: [1, 2], state: 'open' });
      expect(await seqs(log, run, 5)).toEqual({ seqs: [], state: 'open' });
      expect(await seqs(log, run, 99)).toEqual({ seqs: [], state: 'open' });
      opened.log.append(run, [eventOf(6, { end: true })]);
      opened.log.close(run);
      await expect.poll(() => seqs(log, run, 4)).toEqual({ seqs: [5, 6], state: 'closed' });
      expect(await seqs(log, run, 6)).toEqual({ seqs: [], state: 'closed' });
      expect(await log.lastSeq(run)).toBe(6);
      expect((await log.read(run, 0, 1)).events[0]).toEqual(eventOf(1));
    }
  });

  test('an event log knows nothing of a run that never was', async () => {
    await using opened = await open();
    expect(await seqs(opened.other, crypto.randomUUID(), 0)).toEqual({ seqs: [], state: 'unknown' });
    expect(await opened.other.lastSeq(crypto.randomUUID())).toBe(0);
  });

  test('many readers of an event log at many offsets, on every node, read every event beyond theirs once, in order', async () => {
    await using opened = await open();
    const run = crypto.randomUUID();
    opened.log.append(run, range(1, 10));
    await expect.poll(() => opened.other.lastSeq(run)).toBe(10);
    const readers = Array.from({ length: 40 }, (_value, index) => {
      const after = index % 15;
      return readAll(index % 2 === 0 ? opened.log : opened.other, run, after).then((seen) => ({
        after,
        seen,
      }));
    });
    for (let from = 11; from <= 200; from += 10) {
      opened.log.append(run, range(from, from + 9));
      await new Promise((resolve) => setImmediate(resolve));
    }
    opened.log.append(run, [eventOf(201, { end: true })]);
    opened.log.close(run);
    for (const { after, seen } of await Promise.all(readers)) {
      expect(seen).toEqual(range(after + 1, 201).map(({ seq }) => seq));
    }
  });

  test('an event log is ended by another hand once: what has its end stays as it is', async () => {
    await using opened = await open();
    const run = crypto.randomUUID();
    opened.log.append(run, range(1, 3));
    await expect.poll(() => opened.other.lastSeq(run)).toBe(3);
    const reading = readAll(opened.other, run, 3);
    opened.other.conclude(run, [eventOf(1_000_003, { end: true })]);
    opened.other.conclude(run, [eventOf(1_000_004, { end: true })]);
    expect(await reading).toEqual([1_000_003]);
    // A reader that has seen more than was logged gets the end as well.
    expect(await seqs(opened.other, run, 500)).toEqual({ seqs: [1_000_003], state: 'closed' });
    const ended = crypto.randomUUID();
    opened.log.append(ended, [eventOf(1), eventOf(2, { end: true })]);
    opened.log.close(ended);
    await expect.poll(() => seqs(opened.other, ended, 0)).toEqual({ seqs: [1, 2], state: 'closed' });
    opened.other.conclude(ended, [eventOf(1_000_002, { end: true })]);
    expect(await seqs(opened.other, ended, 0)).toEqual({ seqs: [1, 2], state: 'closed' });
  });
}
