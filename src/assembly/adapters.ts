// Owns which adapters there are: the built-in ones, replacements that tests give, and external ones that the configuration names.
import type { Config } from '../configuration/config.ts';
import type { Logger } from '../kernel/logger.ts';
import { createBuiltInAdapters } from '../providers/built-in-adapters.ts';
import type { Adapter, AdapterDependencies } from '../providers/contract/adapter.ts';
import { loadAdapters } from '../providers/external-adapters.ts';
import { type AdapterRegistry, createAdapterRegistry } from '../providers/registry.ts';
import { createSandboxAdapter } from '../providers/sandbox/adapter.ts';
import { IssuedTokens } from '../providers/secret-texts.ts';

interface AdapterSources extends AdapterDependencies {
  readonly config: Config;
  readonly logger: Logger;
  /** Each takes the place of the built-in adapter of the same protocol. */
  readonly overrides: readonly Adapter[];
}

export async function openAdapters({
  config,
  http,
  tokens,
  clock,
  newId,
  logger,
  overrides,
}: AdapterSources): Promise<AdapterRegistry> {
  const replaced = new Set(overrides.map(({ protocol }) => protocol));
  const issued = new IssuedTokens(tokens);
  const dependencies = { http, tokens: issued, clock, newId };
  const builtIn = [
    ...createBuiltInAdapters(dependencies),
    ...(config.sandbox ? [createSandboxAdapter({ clock })] : []),
  ].filter(({ protocol }) => !replaced.has(protocol));
  const known = [...builtIn, ...overrides];
  const spoken = new Set(known.map(({ protocol }) => protocol));
  const further = await loadAdapters(config.adapters, { ...dependencies, logger }, spoken);
  return createAdapterRegistry([...known, ...further], issued.texts);
}
