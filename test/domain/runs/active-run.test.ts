import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ActiveRun } from '../../../src/domain/runs/active-run.ts';
import type { RunTerms } from '../../../src/domain/runs/run-terms.ts';
import { completionKind } from '../../support/kinds.ts';

const GRACE_MS = 15_000;
const FOLLOWER_KNOWN_MS = 4_000;

describe('runs that are cancelled when nobody follows them', () => {
  /** When a reader on another node was there, in milliseconds since the run began. */
  let elsewhere: readonly (readonly [from: number, to: number])[];
  let begunMs: number;
  const sinceBegin = () => Date.now() - begunMs;
  beforeEach(() => {
    vi.useFakeTimers();
    begunMs = Date.now();
    elsewhere = [];
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  function start(): { run: ActiveRun; stoppedAt: () => number | undefined } {
    let stopped: number | undefined;
    const log = {
      append: () => {},
      close: () => {},
      followerKnownMs: FOLLOWER_KNOWN_MS,
      lastFollowedElsewhere: async () => {
        const agoMs = elsewhere
          .filter(([from]) => from <= sinceBegin())
          .map(([, to]) => Math.max(0, sinceBegin() - to));
        const latest = Math.min(...agoMs);
        return latest < FOLLOWER_KNOWN_MS ? latest : undefined;
      },
    };
    const clock = { now: () => new Date(), monotonicMs: () => Date.now() };
    const request = { onDetach: 'CANCEL', detachGraceMs: GRACE_MS };
    const terms = { id: 'r', kind: completionKind, request } as unknown as RunTerms;
    const run = new ActiveRun(terms, log as never, clock);
    run.stopSignal.addEventListener('abort', () => {
      stopped = sinceBegin();
    });
    return { run, stoppedAt: () => stopped };
  }

  test('a run that is cancelled when nobody follows it keeps its whole grace after a reader on another node has left, and no more', async () => {
    elsewhere = [[0, 9_500]];
    const { stoppedAt } = start();
    await vi.advanceTimersByTimeAsync(24_400);
    expect(stoppedAt()).toBeUndefined();
    await vi.advanceTimersByTimeAsync(200);
    expect(stoppedAt()).toBeGreaterThanOrEqual(24_500);
  });

  test('a run that is cancelled when nobody follows it goes on if a reader on another node comes back within the grace', async () => {
    elsewhere = [
      [0, 9_500],
      [16_000, 60_000],
    ];
    const { stoppedAt } = start();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(stoppedAt()).toBeUndefined();
  });

  test('a run that is cancelled when nobody follows it counts its grace from the last reader, wherever it was', async () => {
    const { run, stoppedAt } = start();
    const leave = run.attend();
    await vi.advanceTimersByTimeAsync(20_000);
    leave();
    elsewhere = [[21_000, 23_000]];
    await vi.advanceTimersByTimeAsync(17_900);
    expect(stoppedAt()).toBeUndefined();
    await vi.advanceTimersByTimeAsync(200);
    expect(stoppedAt()).toBeGreaterThanOrEqual(38_000);
  });
});
