// Owns the sandbox's models: their names, which tell what they do, and the default behaviour of each.
import type { ListedModel } from '../contract/models.ts';

export interface SandboxTraits {
  /** Number of reasoning tokens if the request names no effort. */
  readonly reasoningTokens: number;
  /** True if it calls the first tool that is offered, if it may choose and the message asks for none. */
  readonly callsTools: boolean;
}

interface SandboxModel extends ListedModel {
  readonly traits: SandboxTraits;
}

const NO_TRAITS: SandboxTraits = { reasoningTokens: 0, callsTools: false };

const LIMITS = {
  contextLength: 1_000_000,
  maxOutputTokens: 100_000,
  inputModalities: ['text', 'image'],
  outputModalities: ['text'],
};

const MODELS: readonly SandboxModel[] = [
  {
    ...LIMITS,
    key: 'sandbox-text',
    displayName: 'Sandbox text (simulated)',
    capabilities: ['tools', 'json', 'json-schema'],
    traits: NO_TRAITS,
  },
  {
    ...LIMITS,
    key: 'sandbox-reasoning',
    displayName: 'Sandbox reasoning (simulated)',
    capabilities: ['tools', 'json', 'json-schema', 'reasoning'],
    traits: { reasoningTokens: 32, callsTools: false },
  },
  {
    ...LIMITS,
    key: 'sandbox-tools',
    displayName: 'Sandbox tool caller (simulated)',
    capabilities: ['tools', 'json', 'json-schema'],
    traits: { reasoningTokens: 0, callsTools: true },
  },
];

export function traitsOf(modelKey: string): SandboxTraits {
  return MODELS.find(({ key }) => key === modelKey)?.traits ?? NO_TRAITS;
}

export function listSandboxModels(): ListedModel[] {
  return MODELS.map(({ traits: _traits, ...model }) => model);
}
