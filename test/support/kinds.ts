// Owns the kinds of call as tests of the engine use them.
import { type CompletionKind, createCompletionKind } from '../../src/domain/completions/completion-kind.ts';
import { DEFAULT_REQUEST_BOUNDS } from '../../src/domain/completions/request-validation.ts';
import { Kinds } from '../../src/domain/runs/kinds.ts';

export const completionKind: CompletionKind = createCompletionKind({
  bounds: DEFAULT_REQUEST_BOUNDS,
  optionRulesOf: () => undefined,
});

export const kinds = new Kinds([completionKind]);
