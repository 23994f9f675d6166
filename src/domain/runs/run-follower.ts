// Owns following a run wherever it is: on this node, on another node, or ended with the part of its log that is still kept.
//
// 1. A run of this node is read from memory, and counts as attended while a reader follows it.
// 2. A run elsewhere is read from the shared log. Its row tells whether it goes on; who owns it does not matter.
// 3. A log that lacks the end of an ended run gets it from the row, by the first node that notices: the ids of its entries make a repeat harmless.
// 4. A run that has just ended is waited for: its owner writes the log after the row. Later a log that is not there has expired.
import type { EventLog, LogSlice } from '../../coordination/contract.ts';
import { abortable, delay } from '../../kernel/async.ts';
import type { Clock } from '../../kernel/clock.ts';
import { GatewayError, StorageError } from '../../kernel/errors.ts';
import type { RunRepository } from '../../storage/repositories/run.repository.ts';
import { type RunPhase, readEvents, unreadable } from './event-reader.ts';
import type { RunExecutor } from './executor.ts';
import type { Kinds } from './kinds.ts';
import { loadRun } from './load-run.ts';
import { lackingEvents } from './log-mending.ts';
import { type RunEvent, toEndedEvent } from './run-event.ts';
import type { RunRecord } from './run-record.ts';

export interface FollowerDependencies {
  readonly executor: RunExecutor;
  readonly runs: RunRepository;
  readonly kinds: Kinds;
  readonly log: EventLog<RunEvent>;
  readonly clock: Clock;
}

const POLL_MS = 200;
/** The owner of a run writes its last events within this time after the end was committed, unless Redis or the owner is away for longer. */
const LATE_EVENTS_MS = 15_000;
const EVENTS_A_PAGE = 1_000;

export class RunFollower {
  readonly #needs: FollowerDependencies;

  constructor(needs: FollowerDependencies) {
    this.#needs = needs;
  }

  /** The events with `seq > after` that are stored, then new ones, up to the terminal event. */
  async follow(runId: string, after: number): Promise<AsyncIterableIterator<RunEvent>> {
    const { executor, log, kinds, clock } = this.#needs;
    const active = executor.get(runId);
    const reading = { log, kinds, clock, runId, after };
    if (active) {
      const phase = () => (executor.get(runId) === active ? 'running' : 'ended');
      return readEvents({ ...reading, phase, onLeave: active.attend() });
    }
    const replay = await this.#replayOfEnded(runId, after);
    if (replay) return replay;
    const phase = () => this.#phaseOf(runId).catch(cannotTell);
    return readEvents({ ...reading, phase, mendEnd: () => this.#mendEnd(runId) });
  }

  /** The run once it has ended, on any node. While this waits, the run counts as followed. Rejects as soon as `signal` is aborted. */
  async ended(runId: string, signal?: AbortSignal): Promise<RunRecord> {
    signal?.throwIfAborted();
    const active = this.#needs.executor.get(runId);
    const leave = active ? active.attend() : this.#needs.log.follow(runId, () => {});
    try {
      const ended = active ? active.ended : this.#endedElsewhere(runId, signal);
      return await (signal ? abortable(ended, signal) : ended);
    } finally {
      leave();
    }
  }

  async #endedElsewhere(runId: string, signal: AbortSignal | undefined): Promise<RunRecord> {
    while ((await this.#phaseOf(runId).catch(cannotTell)) === 'running') await delay(POLL_MS, signal);
    return loadRun(this.#needs.runs, this.#needs.kinds, runId);
  }

  /** For an ended run whose log is no longer kept: no events if `after` lies at or past the end, only the terminal event if that is all that is left. */
  async #replayOfEnded(runId: string, after: number): Promise<AsyncIterableIterator<RunEvent> | undefined> {
    const slice = await this.#read(runId, after, 1);
    if (slice.state === 'closed' || slice.events.length > 0) return undefined;
    const phase = await this.#phaseOf(runId).catch(cannotTell);
    if (phase === 'running') return undefined;
    const run = await loadRun(this.#needs.runs, this.#needs.kinds, runId);
    const end = toEndedEvent(run);
    if (!end) return undefined;
    if (after >= end.seq) return onlyEvents([]);
    if (slice.state === 'open') {
      if (phase === 'ended') await this.#mendEnd(runId);
      return undefined;
    }
    // Events that a lost node showed and did not write are gone for good. Those of a run that its own node ended may still be on their way to the log.
    const isAll = end.type === 'interrupted' && (phase === 'ended' || run.error?.code === 'NODE_LOST');
    return isAll ? onlyEvents([end]) : undefined;
  }

  async #mendEnd(runId: string): Promise<void> {
    const { runs, kinds, log } = this.#needs;
    try {
      if ((await this.#phaseOf(runId)) === 'running') return;
      const run = await loadRun(runs, kinds, runId);
      const kind = kinds.get(run.kind);
      if (kind.keeping === 'light') return;
      const lacking = lackingEvents(await this.#readWhole(runId), run, kind);
      // The log of a very long run has lost its beginning, so only the terminal event can be added to it.
      const isCut = lacking[0]?.fromSeq === 1 && (await log.lastSeq(runId)) > 0;
      if (lacking.length > 0) log.conclude(runId, isCut ? lacking.slice(-1) : lacking);
    } catch {
      // Every reader checks the run again within seconds, and mending is tried again then.
    }
  }

  async #readWhole(runId: string): Promise<RunEvent[]> {
    const events: RunEvent[] = [];
    for (;;) {
      const slice = await this.#read(runId, events.at(-1)?.seq ?? 0, EVENTS_A_PAGE);
      events.push(...slice.events);
      if (slice.events.length < EVENTS_A_PAGE) return events;
    }
  }

  async #read(runId: string, after: number, limit: number): Promise<LogSlice<RunEvent>> {
    try {
      return await this.#needs.log.read(runId, after, limit);
    } catch (error) {
      throw unreadable(error);
    }
  }

  async #phaseOf(runId: string): Promise<RunPhase> {
    const row = await this.#needs.runs.phaseOf(runId);
    if (!row) throw undone();
    if (row.status === 'RUNNING') return 'running';
    return row.unchangedMs < LATE_EVENTS_MS ? 'ending' : 'ended';
  }
}

/** The run existed when it was joined. Then the caller that had begun it got no answer, or a limit refused it, so the run was withdrawn. */
function undone(): GatewayError {
  return new GatewayError(
    'STORAGE_UNAVAILABLE',
    'This completion was withdrawn before any provider was called; send the request again',
    { retryAfterMs: 1_000 },
  );
}

/** While the database is away, the run may well be running. */
function cannotTell(error: unknown): RunPhase {
  if (error instanceof StorageError && error.kind === 'unavailable') return 'running';
  throw error;
}

async function* onlyEvents(events: readonly RunEvent[]): AsyncIterableIterator<RunEvent> {
  yield* events;
}
