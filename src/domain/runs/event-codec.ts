// Owns events as text: another node must read back the same event, including amounts of money and moments.
import type { StoredResult } from '../../storage/run-columns.ts';
import type { Kinds } from './kinds.ts';
import { type EndedEvent, isEnd, type RunEvent } from './run-event.ts';
import type { RunAttempt, RunRecord } from './run-record.ts';

type Written<Record> = {
  readonly [Name in keyof Record]: Record[Name] extends Date | bigint | null
    ? string | number | null
    : unknown;
};

export function encodeEvent(event: RunEvent): string {
  return JSON.stringify(isEnd(event) ? { ...event, run: writeRun(event.run) } : event);
}

export function decodeEvent(text: string, kinds: Kinds): RunEvent {
  const event = JSON.parse(text) as RunEvent;
  if (!('run' in event)) return event;
  return { ...(event as EndedEvent), run: readRun(event.run as unknown as Written<RunRecord>, kinds) };
}

function writeRun(run: RunRecord): object {
  return {
    ...run,
    costNano: run.costNano?.toString() ?? null,
    createdAt: run.createdAt.getTime(),
    endedAt: run.endedAt?.getTime() ?? null,
    contentRemovedAt: null,
    attempts: run.attempts?.map(writeAttempt),
  };
}

function readRun(run: Written<RunRecord>, kinds: Kinds): RunRecord {
  return {
    ...(run as unknown as RunRecord),
    ...(run.kind === undefined ? beforeKinds(run as Partial<StoredResult>, kinds) : {}),
    costNano: readNano(run.costNano),
    createdAt: new Date(run.createdAt as number),
    endedAt: run.endedAt === null ? null : new Date(run.endedAt as number),
    attempts: (run.attempts as readonly Written<RunAttempt>[] | undefined)?.map(readAttempt),
  };
}

/** A log that was written before runs had kinds holds completions, whose texts stood beside the other fields of the run. */
function beforeKinds(run: Partial<StoredResult>, kinds: Kinds): Pick<RunRecord, 'kind' | 'result'> {
  const kind = kinds.get('completion');
  return { kind: kind.name, result: kind.fromStored(run) };
}

function writeAttempt(attempt: RunAttempt): object {
  return {
    ...attempt,
    costNano: attempt.costNano?.toString() ?? null,
    startedAt: attempt.startedAt.getTime(),
  };
}

function readAttempt(attempt: Written<RunAttempt>): RunAttempt {
  return {
    ...(attempt as unknown as RunAttempt),
    costNano: readNano(attempt.costNano),
    startedAt: new Date(attempt.startedAt as number),
  };
}

function readNano(text: unknown): bigint | null {
  return typeof text === 'string' ? BigInt(text) : null;
}
