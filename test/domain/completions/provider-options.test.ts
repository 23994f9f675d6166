import { expect, test } from 'vitest';
import { faultOfOptions } from '../../../src/domain/completions/provider-options.ts';
import type { JsonObject } from '../../../src/kernel/json.ts';
import type { OptionRules } from '../../../src/providers/contract/option-rules.ts';

const RULES: OptionRules = {
  reserved: { model: 'name it in "model"', 'generationConfig.maxOutputTokens': 'bound it elsewhere' },
  priced: ['service_tier', 'tools.cache_control.ttl'],
  extended: ['toolConfig.tools'],
};
const faultOf = (fields: unknown, paidFor = false) =>
  faultOfOptions({ wire: fields } as JsonObject, (name) => (name === 'wire' ? RULES : undefined), paidFor);

test.each([
  ['the field itself', { model: 'x' }, 'providerOptions.wire.model'],
  ['another case, as servers in Go read it', { MODEL: 'x' }, 'providerOptions.wire.MODEL'],
  ['a letter that folds to another', { '\u{ff4d}odel': 'x' }, 'providerOptions.wire.\u{ff4d}odel'],
  [
    'a nested field',
    { generationConfig: { maxOutputTokens: 9 } },
    'providerOptions.wire.generationConfig.maxOutputTokens',
  ],
  [
    'its other spelling',
    { generation_config: { max_output_tokens: 9 } },
    'providerOptions.wire.generation_config.max_output_tokens',
  ],
  [
    'a value that takes the place of the whole around it',
    { generationConfig: null },
    'providerOptions.wire.generationConfig',
  ],
  ['no object at all', 'model', 'providerOptions.wire'],
])('a reserved field of provider options is refused with its path: %s', (_what, fields, path) => {
  expect(faultOf(fields)?.path).toBe(path);
});

test('a refusal of a reserved field says what to do instead', () => {
  expect(faultOf({ model: 'x' })?.message).toContain('name it in "model"');
});

test('a list that provider options add to must be a list', () => {
  expect(faultOf({ toolConfig: { tools: {} } })?.path).toBe('providerOptions.wire.toolConfig.tools');
  expect(faultOf({ toolConfig: { tools: [{}] } })).toBeUndefined();
});

test('a provider option that changes the price is refused only where somebody pays', () => {
  expect(faultOf({ service_tier: 'flex' })).toBeUndefined();
  expect(faultOf({ service_tier: 'flex' }, true)?.path).toBe('providerOptions.wire.service_tier');
  const tools = [{ name: 'a' }, { cache_control: { type: 'ephemeral', ttl: '1h' } }];
  expect(faultOf({ tools }, true)?.path).toBe('providerOptions.wire.tools.cache_control.ttl');
  expect(faultOf({ tools: 'x', generationConfig: { temperature: 1 } }, true)).toBeUndefined();
});

test('each protocol that provider options name is checked, and one that is not spoken here is passed over', () => {
  const rulesOf = (name: string) => (name === 'b' ? RULES : undefined);
  expect(faultOfOptions({ a: { model: 'x' } }, rulesOf, true)).toBeUndefined();
  expect(faultOfOptions({ a: {}, b: { model: 'x' } }, rulesOf, true)?.path).toBe('providerOptions.b.model');
});
