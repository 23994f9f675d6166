// Holds what the engine of runs owes to a kind of call that it knows nothing of: a made-up one that repeats a sound, letter by letter.
import { randomUUID } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { createMemoryCircuitStore } from '../../../src/coordination/memory/circuit-store.ts';
import { MemoryEventLog } from '../../../src/coordination/memory/event-log.ts';
import { Circuits } from '../../../src/domain/routing/circuits.ts';
import { CircuitProbes } from '../../../src/domain/runs/circuit-probes.ts';
import { RunExecutor } from '../../../src/domain/runs/executor.ts';
import type { Answer, Kind } from '../../../src/domain/runs/kind.ts';
import { Kinds } from '../../../src/domain/runs/kinds.ts';
import type { ContentEvent, RunEvent } from '../../../src/domain/runs/run-event.ts';
import { RunFollower } from '../../../src/domain/runs/run-follower.ts';
import { RunProgressRecords } from '../../../src/domain/runs/run-progress.ts';
import type { RunRequest } from '../../../src/domain/runs/run-request.ts';
import type { RunTerms } from '../../../src/domain/runs/run-terms.ts';
import { deferred } from '../../../src/kernel/async.ts';
import { systemClock } from '../../../src/kernel/clock.ts';
import { silentLogger } from '../../../src/kernel/logger.ts';
import { silentTelemetry } from '../../../src/kernel/telemetry.ts';
import type { Storage } from '../../../src/storage/orm.ts';
import { RunRepository } from '../../../src/storage/repositories/run.repository.ts';
import { describeEachDatabase, openTestStorage } from '../../support/databases.ts';
import { beginRow } from '../../support/run-rows.ts';

interface EchoRequest extends RunRequest {
  readonly sound: string;
}
interface EchoResult {
  readonly heard: string;
}
interface LetterEvent extends ContentEvent {
  readonly type: 'letter';
  readonly letter: string;
}

class EchoAnswer implements Answer<string, EchoResult> {
  heard = '';
  readonly usage = undefined;
  readonly warnings = [];
  readonly servedModel = null;
  readonly providerRequestId = null;
  readonly finishReason = 'stop';
  readonly providerFinishReason = null;
  readonly isFull = false;

  take(parts: readonly string[]) {
    this.heard += parts.join('');
    return { parts, hasContent: parts.length > 0 };
  }
  requireWhole() {}
  get hasContent() {
    return this.heard !== '';
  }
  get size() {
    return this.heard.length;
  }
  get outputSoFar() {
    return this.size;
  }
  roughUsage() {
    return usageOf(this.size);
  }
  result(): EchoResult {
    return { heard: this.heard };
  }
  since(mark: unknown) {
    const text = this.heard.slice((mark as number | undefined) ?? 0);
    return { stored: { text, reasoning: '' }, mark: this.size };
  }
}

function usageOf(outputTokens: number) {
  return { inputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0, outputTokens, reasoningTokens: 0 };
}

/** The echo waits for `goOn` before its last letter. */
function echoKind(keeping: Kind['keeping'], goOn: Promise<void>): Kind<EchoRequest, string, EchoResult> {
  return {
    name: `${keeping}-echo`,
    keeping,
    output: 'sound',
    eventTypes: ['letter'],
    noResult: { heard: '' },
    validate: () => {},
    measure: () => ({
      inputTokensAtLeast: 0,
      inputTokensHeld: 1,
      inputTokensCounted: 1,
      outputTokensAsked: 0,
    }),
    needs: () => ({ output: 'sound', inputs: [], inputTokensAtLeast: 0 }),
    isOfferedBy: () => true,
    isDemanding: () => false,
    unsupported: () => [],
    prepare: (_call, { sound }) => ({
      warnings: [],
      async *stream() {
        for (const letter of sound.slice(0, -1)) yield [letter];
        await goOn;
        yield [sound.slice(-1)];
      },
    }),
    newAnswer: () => new EchoAnswer(),
    eventsOf: (parts, nextBase) => parts.map((letter) => ({ ...nextBase(), type: 'letter', letter })),
    sizeOfEvent: (event) => (event as LetterEvent).letter.length,
    merge(first, second) {
      const letters = (first as LetterEvent).letter + (second as LetterEvent).letter;
      return { ...second, fromSeq: first.fromSeq, letter: letters } as LetterEvent;
    },
    lacking: () => [],
    countUsage: async (_request, answer) => usageOf(answer.size),
    amountHeld: () => 0n,
    outputHeld: () => 0,
    toStored: ({ heard }) => ({ text: heard, reasoning: '', toolCalls: [], continuation: null }),
    fromStored: ({ text = '' }) => ({ heard: text }),
    sizeOfResult: ({ heard }) => heard.length,
  };
}

const CANDIDATE = {
  label: 'cave',
  protocol: 'echo',
  spec: {},
  config: { id: randomUUID(), name: 'c', providerKey: 'p', retryPolicy: {}, timeLimits: {}, free: true },
  instance: undefined,
  model: { key: 'm', capabilities: [] },
  canonicalId: 'p/m',
  circuitKey: 'c m',
} as never;

describeEachDatabase('an unknown kind of call', (database) => {
  let storage: Storage;
  let runs: RunRepository;
  const workspaceId = randomUUID();

  beforeAll(async () => {
    storage = await openTestStorage(database);
    runs = new RunRepository(storage);
    const text = "insert into workspace (id, slug, display_name) values ($1, 'test', 'Test')";
    await storage.sql.query({ name: 'workspace', text }, [workspaceId]);
  });

  /** A run under way: its last letter is still to come. */
  async function begin(keeping: Kind['keeping']) {
    const last = deferred();
    const kind = echoKind(keeping, last.promise);
    const kinds = new Kinds([kind]);
    const log = new MemoryEventLog<RunEvent>({
      clock: systemClock,
      retentionMs: 60_000,
      maxEndedBytes: 1_000_000,
      bytesOf: () => 1,
    });
    const common = {
      clock: systemClock,
      logger: silentLogger,
      telemetry: silentTelemetry,
      adapterOf: () => ({}) as never,
    };
    const targets = { of: () => ({}) } as never;
    const settings = { enabled: true, failuresInRow: 3, windowSize: 20, slowMs: 60_000, openMs: 5_000 };
    const circuits = new Circuits({ ...common, store: createMemoryCircuitStore(common), settings });
    const executor = new RunExecutor({
      ...common,
      targets,
      circuits,
      probes: new CircuitProbes({ ...common, targets, circuits }),
      health: { worked: () => {}, refused: () => {} } as never,
      maxAnswerBytes: 1_000,
      random: () => 0,
      runs,
      log,
      kinds,
    });
    const row = beginRow(workspaceId, randomUUID(), { kind: kind.name });
    await runs.begin(row);
    const run = executor.start(termsOf(row.id, workspaceId, kind));
    const progress = new RunProgressRecords({ ...common, executor, runs });
    return { id: row.id, last, log, kinds, executor, run, progress };
  }

  const stored = async (id: string) => (await runs.byIds([id]))[0];

  test('a run of a kind that the engine does not know is shown in events of its own, recorded while it runs, and ended with its own result', async () => {
    const { id, last, log, kinds, executor, run, progress } = await begin('durable');
    await expect.poll(() => run.current?.answer.size).toBe(3);
    await progress.save();
    expect(await stored(id)).toMatchObject({ kind: 'durable-echo', status: 'RUNNING', text: 'hal' });
    last.resolve();
    expect(await run.ended).toMatchObject({ status: 'FINISHED', result: { heard: 'halo' } });
    const follower = new RunFollower({ executor, runs, kinds, log, clock: systemClock });
    const events: RunEvent[] = [];
    for await (const event of await follower.follow(id, 0)) events.push(event);
    expect(events).toMatchObject([
      { type: 'started', seq: 1 },
      { type: 'letter', fromSeq: 2, seq: 5, letter: 'halo' },
      { type: 'finished', seq: 6, run: { kind: 'durable-echo', result: { heard: 'halo' } } },
    ]);
  });

  test('a run of a light kind leaves nothing but its row while it runs, and its result at the end', async () => {
    const { id, last, log, run, progress } = await begin('light');
    await expect.poll(() => run.current?.answer.size).toBe(3);
    await progress.save();
    expect(await stored(id)).toMatchObject({
      kind: 'light-echo',
      status: 'RUNNING',
      text: '',
      progressSeq: 0,
    });
    last.resolve();
    expect(await run.ended).toMatchObject({ status: 'FINISHED', result: { heard: 'halo' } });
    expect(await stored(id)).toMatchObject({ status: 'FINISHED', text: 'halo', outputTokens: 4 });
    expect(await log.lastSeq(id)).toBe(0);
  });
});

function termsOf(id: string, workspaceId: string, kind: Kind<EchoRequest, string, EchoResult>): RunTerms {
  const request: EchoRequest = {
    model: 'cave',
    sound: 'halo',
    onUnsupported: 'REFUSE',
    routing: {},
    onDetach: 'CONTINUE',
    detachGraceMs: 0,
    metadata: {},
  };
  const plan = { model: 'cave', kind: 'INSTANCE', fallback: 'NONE', candidates: [], summary: '' } as const;
  return {
    id,
    kind,
    workspaceId,
    caller: 'key:1',
    requestId: null,
    request,
    measured: kind.measure(request),
    route: { plan, candidates: [CANDIDATE], halfOpen: [], unknown: false },
    prices: new Map(),
    policy: {
      maxAttempts: 1,
      maxAttemptsPerInstance: 1,
      defaultAttemptsPerInstance: 1,
      patienceMs: 0,
      totalMs: undefined,
      commit: 'FIRST_TOKEN',
      onStreamFault: 'FAIL',
    },
    createdAt: systemClock.now(),
  };
}
