import { expect, test } from 'vitest';
import { ProviderTargets } from '../../../src/domain/catalogue/provider-target.ts';
import { SecretVault } from '../../../src/domain/identity/secret-vault.ts';

const vault = new SecretVault([{ id: 'test', key: Buffer.alloc(32, 1) }], {});
const spec = {
  key: 'p',
  protocol: 'openai-chat',
  baseUrl: 'https://p.example',
  auth: { type: 'none' },
  settingsSchema: {},
  quirks: {},
};
const config = { id: '1', name: 'c', settings: {}, timeLimits: { connectMs: 2_000 } };

test('the connect limit of an instance wins over that of its config, and each is made once', () => {
  const targets = new ProviderTargets(vault);
  const of = (instance?: object) => targets.of(config as never, spec as never, undefined, instance as never);
  const quick = { timeLimits: { connectMs: 300 } };
  const plain = { timeLimits: {} };
  expect(of(quick).connectTimeoutMs).toBe(300);
  expect(of(plain).connectTimeoutMs).toBe(2_000);
  expect(of().connectTimeoutMs).toBe(2_000);
  expect(of(quick)).toBe(of(quick));
});
