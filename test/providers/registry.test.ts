import { expect, test } from 'vitest';
import type { Adapter } from '../../src/providers/contract/adapter.ts';
import { createAdapterRegistry } from '../../src/providers/registry.ts';

function adapterOf(protocol: string): Adapter {
  return {
    protocol,
    optionRules: { reserved: {}, priced: [], extended: [] },
    stream: async function* () {},
    unsupported: () => [],
    check: async () => {},
  };
}

test('an adapter is found by the name of its protocol', () => {
  const chat = adapterOf('openai-chat');
  const registry = createAdapterRegistry([chat, adapterOf('gemini')]);
  expect(registry.get('openai-chat')?.protocol).toBe(chat.protocol);
  expect(registry.get('unknown')).toBeUndefined();
  expect(registry.protocols()).toEqual(['gemini', 'openai-chat']);
});

test('two adapters of one name are refused', () => {
  expect(() => createAdapterRegistry([adapterOf('x'), adapterOf('x')])).toThrow('"x"');
});
