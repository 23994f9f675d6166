import { describe, expect, test } from 'vitest';
import type { Kind } from '../../../src/domain/runs/kind.ts';
import { Kinds } from '../../../src/domain/runs/kinds.ts';
import type { ContentEvent } from '../../../src/domain/runs/run-event.ts';
import { completionKind } from '../../support/kinds.ts';

const kind = (name: string, eventTypes: readonly string[], output = 'text') =>
  ({ ...completionKind, name, eventTypes, output }) as unknown as Kind;
const event = (type: string) => ({ type }) as ContentEvent;

describe('refused kinds', () => {
  test('two kinds of one name are refused when the gateway is put together', () => {
    expect(() => new Kinds([completionKind, completionKind])).toThrow(
      'Two kinds of call have the name "completion"',
    );
  });

  test('two kinds with events of one type are refused when the gateway is put together', () => {
    expect(() => new Kinds([kind('one', ['letter']), kind('other', ['sound', 'letter'])])).toThrow(
      '"letter"',
    );
  });

  test.each(['started', 'rerouted', 'finished', 'failed', 'cancelled', 'interrupted'])(
    'a kind whose events are of the engine’s own type "%s" is refused when the gateway is put together',
    (type) => {
      expect(() => new Kinds([kind('one', [type])])).toThrow(`"${type}"`);
    },
  );
});

test('a kind is found by its name and by the types of its events', () => {
  const [one, other] = [kind('one', ['a', 'b']), kind('other', ['c'])];
  const kinds = new Kinds([one, other]);
  expect(kinds.get('other')).toBe(other);
  expect(['a', 'b', 'c', 'd'].map((type) => kinds.ofEvent(event(type)))).toEqual([
    one,
    one,
    other,
    undefined,
  ]);
});

test('a name that no kind has is a fault of the gateway, not of the caller', () => {
  expect(() => new Kinds([]).get('constructor')).toThrow(expect.objectContaining({ code: 'INTERNAL' }));
});

test('the modalities that kinds ask for are told once each', () => {
  const kinds = new Kinds([kind('one', ['a']), kind('two', ['b']), kind('three', ['c'], 'image')]);
  expect(kinds.outputs).toEqual(['text', 'image']);
});
