import { expect, test } from 'vitest';
import { needsSecret, refusalOfState } from '../../../src/domain/routing/candidate-state.ts';
import { selectCandidates } from '../../../src/domain/routing/candidates.ts';
import { catalogueOf, type TestCatalogue } from '../../support/routing-catalogue.ts';

/** All that can be wrong with a candidate, in the order in which it is told. */
const WRONG = [
  ['INSTANCE_DISABLED', { instances: [{ slug: 'i', enabled: false }] }],
  ['CONFIG_DISABLED', { configs: { c: { enabled: false } } }],
  ['PROVIDER_DISABLED', { provider: { enabled: false } }],
  ['MODEL_UNAVAILABLE', { models: { m: { available: false } } }],
  ['PROTOCOL_MISSING', { provider: { protocol: 'unheard-of' } }],
  ['NO_CREDENTIALS', { configs: { c: { secret: null } } }],
] as const satisfies readonly (readonly [string, Partial<TestCatalogue>])[];

const candidateOf = (over: Partial<TestCatalogue>) =>
  selectCandidates(catalogueOf({ instances: [{ slug: 'i' }], ...over }), 'i').named[0]!;
const codeOf = (over: Partial<TestCatalogue>) =>
  refusalOfState(candidateOf(over), (protocol) => protocol === 'openai-chat')?.code;

test('a candidate with nothing wrong can be called', () => {
  expect(codeOf({})).toBeUndefined();
});

test.each(WRONG)('a candidate is refused for %s', (code, over) => {
  expect(codeOf(over)).toBe(code);
});

test('of several reasons the first is told, from the instance down to the credential', () => {
  const merge = (from: number) => {
    const all: { instances?: any; configs: any; models?: any; provider: any } = {
      configs: { c: {} },
      provider: {},
    };
    for (const [, over] of WRONG.slice(from).toReversed() as (readonly [string, any])[]) {
      if (over.instances) all.instances = over.instances;
      if (over.models) all.models = over.models;
      Object.assign(all.configs.c, over.configs?.c);
      Object.assign(all.provider, over.provider);
    }
    return all;
  };
  for (const [index, [code]] of WRONG.entries()) expect(codeOf(merge(index))).toBe(code);
});

test('a candidate without a model or without any protocol is refused as such', () => {
  const candidate = candidateOf({});
  expect(refusalOfState({ ...candidate, model: undefined }, () => true)?.code).toBe('MODEL_MISSING');
  expect(refusalOfState({ ...candidate, spec: undefined }, () => true)?.code).toBe('PROVIDER_DISABLED');
  expect(refusalOfState({ ...candidate, protocol: undefined }, () => true)?.code).toBe('PROTOCOL_MISSING');
});

test('a provider that cannot be called is refused in its own words where it has some', () => {
  const candidate = candidateOf({ provider: { unservableReason: 'It signs in by browser' } });
  expect(refusalOfState({ ...candidate, protocol: undefined }, () => true)?.reason).toContain(
    'It signs in by browser',
  );
  const silent = candidateOf({ provider: { unservableReason: null } });
  expect(refusalOfState({ ...silent, protocol: undefined }, () => true)?.reason).not.toContain('null');
});

test.each([
  [{ type: 'none' }, false],
  [{ type: 'header' }, true],
  [{ type: 'header', optional: true }, false],
  [{ type: 'header', optional: false }, true],
])('whether the authentication %j needs a secret is %s', (auth, expected) => {
  expect(needsSecret(auth)).toBe(expected);
});
