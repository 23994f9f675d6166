// Owns the kinds of call as tests of the engine use them.
import { readConfig } from '../../src/configuration/config.ts';
import { type CompletionKind, createCompletionKind } from '../../src/domain/completions/completion-kind.ts';
import { Kinds } from '../../src/domain/runs/kinds.ts';

export const completionKind: CompletionKind = createCompletionKind({
  bounds: readConfig({ NODE_ENV: 'test' }).requestBounds,
  optionRulesOf: () => undefined,
});

export const kinds = new Kinds([completionKind]);
