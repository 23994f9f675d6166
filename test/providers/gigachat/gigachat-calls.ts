// Owns what the tests of GigaChat's requests share: the body that a request becomes, and what of it cannot be said.
import type { ProviderRequest } from '../../../src/providers/contract/completions.ts';
import { collectParts, providerRequest } from '../../support/provider-calls.ts';
import { type FakeGigaChatOptions, startGigaChat } from './fake-gigachat.ts';

/** The body that a request becomes. */
export async function bodyOf(over: Partial<ProviderRequest>, options: FakeGigaChatOptions = {}) {
  await using fake = await startGigaChat(options);
  const { fault } = await collectParts(fake.adapter, providerRequest({ ...over, target: fake.target }));
  if (fault) throw fault;
  return fake.bodies()[0] ?? {};
}

export async function unsupportedOf(over: Partial<ProviderRequest>) {
  await using fake = await startGigaChat();
  return fake.adapter.completions.unsupported(providerRequest({ target: fake.target, ...over }));
}

export const pathsOf = async (over: Partial<ProviderRequest>) =>
  (await unsupportedOf(over)).map(({ path }) => path);
