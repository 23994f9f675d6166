import { describe, expect, test } from 'vitest';
import type { Candidate } from '../../../src/domain/routing/candidates.ts';
import type { Route } from '../../../src/domain/routing/planner.ts';
import { Turns } from '../../../src/domain/runs/turns.ts';
import { ProviderError, type ProviderErrorCode } from '../../../src/kernel/errors.ts';

interface TestTurn {
  readonly label: string;
  readonly config?: string;
  readonly model?: string;
  readonly contextLength?: number | null;
  readonly isFallback?: boolean;
}

function turnsOf(...given: readonly TestTurn[]): Turns {
  const candidates = given.map(({ label, config = 'c', model = 'm', contextLength = null }) => {
    return {
      label,
      config: { id: config },
      canonicalId: model,
      model: { contextLength },
    } as unknown as Candidate;
  });
  const plan = { candidates: given.map(({ label, isFallback }) => ({ label, isFallback })) };
  return new Turns({ candidates, plan } as unknown as Route);
}
const labels = (turns: Turns) => turns.all().map(({ candidate }) => candidate.label);
/** The first has failed; who is left. */
function afterFault(code: ProviderErrorCode, transient: boolean, ...given: readonly TestTurn[]): string[] {
  const turns = turnsOf(...given);
  const [first] = turns.waiting;
  turns.take(first!);
  turns.ruleOut(first!.candidate, new ProviderError(code, 'It failed', { transient }));
  return labels(turns);
}

describe('order of turns', () => {
  test('turns are taken in the order of the plan', () => {
    const turns = turnsOf({ label: 'a' }, { label: 'b' }, { label: 'c' });
    expect(labels(turns)).toEqual(['a', 'b', 'c']);
    turns.take(turns.waiting[0]!);
    expect(labels(turns)).toEqual(['b', 'c']);
  });

  test('who comes back is asked after all that wait, in the order of coming back, and not before its moment', () => {
    const turns = turnsOf({ label: 'a' }, { label: 'b' }, { label: 'c' });
    const [a, b] = turns.waiting;
    turns.take(b!);
    turns.comeBack(b!, 5);
    turns.take(a!);
    turns.comeBack(a!, 7);
    expect(labels(turns)).toEqual(['c', 'b', 'a']);
    expect(turns.waiting.map(({ candidate }) => candidate.label)).toEqual(['c']);
    expect(turns.returning.map(({ readyAtMs }) => readyAtMs)).toEqual([5, 7]);
  });

  test('who comes back and is taken again is gone', () => {
    const turns = turnsOf({ label: 'a' });
    const [a] = turns.waiting;
    turns.take(a!);
    turns.comeBack(a!, 5);
    turns.take(a!);
    expect(labels(turns)).toEqual([]);
  });

  test('what was named has its like as peers, and a fallback has everything that waits', () => {
    const turns = turnsOf({ label: 'a' }, { label: 'b' }, { label: 'x', isFallback: true });
    const [a, , x] = turns.waiting;
    expect(turns.peersOf(a!)).toBe(2);
    expect(turns.peersOf(x!)).toBe(3);
    turns.take(a!);
    turns.comeBack(a!, 0);
    expect(turns.peersOf(a!)).toBe(1);
  });
});

describe('ruling out', () => {
  const others: readonly TestTurn[] = [
    { label: 'same config and model' },
    { label: 'same config', model: 'n' },
    { label: 'same model', config: 'd' },
    { label: 'neither', config: 'd', model: 'n' },
  ];
  const names = others.map(({ label }) => label);

  test.each<[ProviderErrorCode, boolean, readonly string[]]>([
    ['PROVIDER_AUTHENTICATION', false, ['same model', 'neither']],
    ['PROVIDER_RATE_LIMITED', false, ['same model', 'neither']],
    ['MODEL_UNAVAILABLE', false, ['same config', 'same model', 'neither']],
    ['CAPABILITY_MISSING', false, ['same config', 'same model', 'neither']],
    ['CONTEXT_LENGTH_EXCEEDED', false, ['same config', 'neither']],
    ['PROVIDER_UNAVAILABLE', false, names],
    ['PROVIDER_TIMEOUT', false, names],
    ['PROVIDER_PROTOCOL', false, names],
    ['PROVIDER_RATE_LIMITED', true, names],
    ['MODEL_UNAVAILABLE', true, names],
  ])('after %s (passes by itself: %s) these are left: %j', (code, transient, left) => {
    expect(afterFault(code, transient, { label: 'first' }, ...others)).toEqual(left);
  });

  test('a context that has overflown rules out only those that are known to be no larger', () => {
    const left = afterFault(
      'CONTEXT_LENGTH_EXCEEDED',
      false,
      { label: 'first', model: 'm1', contextLength: 100 },
      { label: 'smaller', model: 'm2', contextLength: 99 },
      { label: 'equal', model: 'm3', contextLength: 100 },
      { label: 'larger', model: 'm4', contextLength: 101 },
      { label: 'unknown', model: 'm5' },
    );
    expect(left).toEqual(['larger', 'unknown']);
  });

  test('a context of unknown size that has overflown rules out only the same model', () => {
    const small = { label: 'small', model: 'n', contextLength: 1 };
    expect(afterFault('CONTEXT_LENGTH_EXCEEDED', false, { label: 'first' }, small)).toEqual(['small']);
  });

  test('those that come back are ruled out like those that wait', () => {
    const turns = turnsOf({ label: 'a' }, { label: 'b' });
    const [a, b] = turns.waiting;
    turns.take(a!);
    turns.comeBack(a!, 0);
    turns.take(b!);
    turns.ruleOut(b!.candidate, new ProviderError('PROVIDER_AUTHENTICATION', 'No'));
    expect(labels(turns)).toEqual([]);
  });
});
