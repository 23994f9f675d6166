import { describe, expect, test } from 'vitest';
import { createMemoryCircuitStore } from '../../../src/coordination/memory/circuit-store.ts';
import type { Candidate } from '../../../src/domain/routing/candidates.ts';
import { Circuits } from '../../../src/domain/routing/circuits.ts';
import { CircuitProbes } from '../../../src/domain/runs/circuit-probes.ts';
import { deferred } from '../../../src/kernel/async.ts';
import { systemClock } from '../../../src/kernel/clock.ts';
import { ProviderError, type ProviderErrorCode } from '../../../src/kernel/errors.ts';
import { silentLogger } from '../../../src/kernel/logger.ts';
import { silentTelemetry } from '../../../src/kernel/telemetry.ts';
import type { Adapter } from '../../../src/providers/contract/adapter.ts';
import type {
  Completions,
  ProviderRequest,
  StreamPart,
} from '../../../src/providers/contract/completions.ts';
import type { CallOptions } from '../../../src/providers/contract/target.ts';
import { completionKind } from '../../support/kinds.ts';

const KEY = 'config model';
const CANDIDATE = {
  label: 'main',
  protocol: 'p',
  spec: {},
  config: { retryPolicy: {}, timeLimits: {} },
  instance: undefined,
  model: { key: 'm', capabilities: [] },
  canonicalId: 'p/m',
  circuitKey: KEY,
} as unknown as Candidate;

/** A circuit that is half open, and probes of it that the given stream answers. */
async function halfOpen(stream: Completions['stream']) {
  let nowMs = 1_000_000;
  const clock = { now: () => new Date(nowMs), monotonicMs: () => systemClock.monotonicMs() };
  const settings = { enabled: true, failuresInRow: 1, windowSize: 20, slowMs: 60_000, openMs: 5_000 };
  const store = createMemoryCircuitStore({ clock });
  const circuits = new Circuits({ store, clock, telemetry: silentTelemetry, settings });
  circuits.record(KEY, { result: 'failure', firstTokenMs: null, reason: 'down' }, 'go', true);
  nowMs += settings.openMs;
  const asked: number[] = [];
  const adapter = {
    protocol: 'p',
    completions: {
      unsupported: () => [],
      stream: (request: ProviderRequest, options: CallOptions) => {
        asked.push(request.parameters.maxTokens ?? 0);
        return stream(request, options);
      },
    },
  } as unknown as Adapter;
  const probes = new CircuitProbes({
    adapterOf: () => adapter,
    targets: { of: () => ({}) } as never,
    circuits,
    clock,
    logger: silentLogger,
  });
  return { circuits, probes, asked, state: () => circuits.view(KEY).state };
}

const failing = (code: ProviderErrorCode): Completions['stream'] =>
  async function* (): AsyncGenerator<StreamPart[]> {
    yield await Promise.reject(new ProviderError(code, 'No'));
  };

describe('probes beside a run', () => {
  test('a probe beside a run is one small call, closes the circuit with the first word of the answer, and waits for no more of it', async () => {
    const left = deferred();
    const { probes, asked, state } = await halfOpen(async function* (_request, { signal }) {
      signal.addEventListener('abort', () => left.resolve());
      yield [{ type: 'text-delta', text: 'OK' }];
      await left.promise;
      throw signal.reason;
    });
    probes.start(completionKind, [CANDIDATE, CANDIDATE]);
    await left.promise;
    await expect.poll(state).toBe('CLOSED');
    expect(asked).toEqual([16]);
  });

  test.each([
    ['PROVIDER_INVALID_REQUEST', 'CLOSED'],
    ['PROVIDER_CONTENT_FILTERED', 'CLOSED'],
    ['PROVIDER_UNAVAILABLE', 'OPEN'],
    ['PROVIDER_RATE_LIMITED', 'OPEN'],
    ['PROVIDER_AUTHENTICATION', 'OPEN'],
    ['MODEL_UNAVAILABLE', 'OPEN'],
  ] as const)(
    'a probe that ends with %s leaves the circuit %s: what refuses the words has answered',
    async (code, expected) => {
      const { probes, asked, state } = await halfOpen(failing(code));
      probes.start(completionKind, [CANDIDATE]);
      await expect.poll(state).toBe(expected);
      expect(asked).toHaveLength(1);
    },
  );

  test('a probe is made by nobody while another one is under way, and is free again when it was stopped without an outcome', async () => {
    const begun = deferred();
    const { probes, circuits, asked, state } = await halfOpen(async function* (_request, { signal }) {
      begun.resolve();
      await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      yield [];
    });
    probes.start(completionKind, [CANDIDATE]);
    await begun.promise;
    probes.start(completionKind, [CANDIDATE]);
    expect(await circuits.admit(KEY, false)).toBe('skip');
    await probes.close();
    expect(asked).toHaveLength(1);
    expect(state()).toBe('HALF_OPEN');
    expect(await circuits.admit(KEY, false)).toBe('probe');
    probes.start(completionKind, [CANDIDATE]);
    expect(asked).toHaveLength(1);
  });
});
