import { expect, test } from 'vitest';
import type { Adapter } from '../../src/providers/contract/adapter.ts';
import { createAdapterRegistry } from '../../src/providers/registry.ts';
import { scriptedAdapter } from '../support/scripted-adapter.ts';

const adapterOf = (protocol: string) => scriptedAdapter(protocol, async function* () {});

test('an adapter is found by the name of its protocol', () => {
  const chat = adapterOf('openai-chat');
  const registry = createAdapterRegistry([chat, adapterOf('gemini')]);
  expect(registry.get('openai-chat')?.protocol).toBe(chat.protocol);
  expect(registry.get('unknown')).toBeUndefined();
  expect(registry.protocols()).toEqual(['gemini', 'openai-chat']);
});

test('an adapter offers only the kinds of call that its protocol has', () => {
  const deaf: Adapter = { protocol: 'deaf', health: { check: async () => {} } };
  const registry = createAdapterRegistry([adapterOf('chat'), deaf]);
  expect(registry.get('chat')?.completions).toBeDefined();
  expect(registry.get('deaf')?.completions).toBeUndefined();
});

test('two adapters of one name are refused', () => {
  expect(() => createAdapterRegistry([adapterOf('x'), adapterOf('x')])).toThrow('"x"');
});
