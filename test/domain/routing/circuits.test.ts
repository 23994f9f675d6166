import { describe, expect, test } from 'vitest';
import { createMemoryCircuitStore } from '../../../src/coordination/memory/circuit-store.ts';
import { type CircuitSettings, Circuits } from '../../../src/domain/routing/circuits.ts';
import { silentTelemetry } from '../../../src/kernel/telemetry.ts';

const FAILED = { result: 'failure', firstTokenMs: null, reason: 'it is down' } as const;
const WORKED = { result: 'success', firstTokenMs: 10 } as const;
const KEY = 'config model';

function setUp(over: Partial<CircuitSettings> = {}) {
  let nowMs = 1_800_000_000_000;
  const clock = { now: () => new Date(nowMs), monotonicMs: () => nowMs };
  const settings = { enabled: true, failuresInRow: 5, windowSize: 20, slowMs: 1_000, openMs: 5_000, ...over };
  const circuits = new Circuits({
    store: createMemoryCircuitStore({ clock }),
    clock,
    telemetry: silentTelemetry,
    settings,
  });
  const record = (outcome: Parameters<Circuits['record']>[1], times = 1, enabled = true) => {
    for (let time = 0; time < times; time += 1) circuits.record(KEY, outcome, 'go', enabled);
  };
  return {
    circuits,
    record,
    state: () => circuits.view(KEY).state,
    pass: (ms: number) => {
      nowMs += ms;
    },
  };
}

describe('circuits', () => {
  test('a circuit opens on failures in a row, which a success begins to count anew', () => {
    const { record, state, circuits } = setUp();
    record(FAILED, 4);
    record(WORKED);
    record(FAILED, 4);
    expect(state()).toBe('CLOSED');
    record(FAILED);
    expect(circuits.view(KEY)).toMatchObject({ state: 'OPEN', reason: 'it is down', failuresInRow: 5 });
  });

  test('a circuit opens when half of a full window failed, though never many in a row', () => {
    const { record, state } = setUp();
    for (let pair = 0; pair < 9; pair += 1) {
      record(FAILED);
      record(WORKED);
    }
    expect(state()).toBe('CLOSED');
    record(FAILED);
    record(FAILED);
    expect(state()).toBe('OPEN');
  });

  test('a circuit takes a slow first token for a failure', () => {
    const { record, state, circuits } = setUp();
    record({ result: 'success', firstTokenMs: 1_001 }, 5);
    expect(state()).toBe('OPEN');
    expect(circuits.view(KEY).reason).toContain('1001 ms');
  });

  test('a circuit is left alone by what says nothing of its health, and where it is switched off', () => {
    const neutral = setUp();
    neutral.record({ result: 'neutral', firstTokenMs: null }, 50);
    expect(neutral.state()).toBe('CLOSED');
    const off = setUp({ enabled: false });
    off.record(FAILED, 50);
    expect(off.state()).toBe('CLOSED');
    const policy = setUp();
    policy.record(FAILED, 50, false);
    expect(policy.state()).toBe('CLOSED');
  });

  test('a circuit lets single probes through when half open, and closes on recovery', async () => {
    const { circuits, record, state, pass } = setUp();
    record(FAILED, 5);
    expect(await circuits.admit(KEY, false)).toBe('skip');
    expect(await circuits.admit(KEY, true)).toBe('go');
    pass(5_000);
    expect(state()).toBe('HALF_OPEN');
    expect(await circuits.admit(KEY, false)).toBe('probe');
    expect(await circuits.admit(KEY, false)).toBe('skip');
    circuits.record(KEY, FAILED, 'probe', true);
    expect(state()).toBe('OPEN');
    pass(5_000);
    expect(await circuits.admit(KEY, false)).toBe('probe');
    circuits.record(KEY, WORKED, 'probe', true);
    expect(state()).toBe('CLOSED');
    expect(await circuits.admit(KEY, false)).toBe('go');
  });

  test('a circuit lets another probe through when one was stopped without an outcome', async () => {
    const { circuits, record, pass } = setUp();
    record(FAILED, 5);
    pass(5_000);
    expect(await circuits.admit(KEY, false)).toBe('probe');
    circuits.record(KEY, { result: 'neutral', firstTokenMs: null }, 'probe', true);
    expect(await circuits.admit(KEY, false)).toBe('probe');
  });

  test('a circuit remembers for how long a provider asked for quiet, and is reset by hand', () => {
    const { circuits, record, pass, state } = setUp();
    circuits.record(KEY, { result: 'neutral', firstTokenMs: null, quietMs: 2_000 }, 'go', true);
    expect(circuits.view(KEY).quietUntilMs).toBe(1_800_000_002_000);
    pass(2_000);
    expect(circuits.view(KEY).quietUntilMs).toBeNull();
    record(FAILED, 5);
    circuits.reset(KEY);
    expect(state()).toBe('CLOSED');
  });
});
