// Owns the rules for sampling parameters, both of a call and of an instance's defaults.
import { isStorableText } from '../../kernel/text.ts';
import type { Parameters, ReasoningEffort } from '../../providers/contract/completions.ts';

export type { Parameters, ReasoningEffort };

export interface ParameterFault {
  /** Within the parameters, e.g. `stop[1]`. */
  readonly path: string;
  readonly message: string;
}

const MAX_STOPS = 16;
const MAX_STOP_LENGTH = 1_000;
const MAX_INT = 2_147_483_647;

interface Range {
  readonly low: number;
  readonly high: number;
  readonly whole?: boolean;
}

const RANGES: Readonly<Partial<Record<keyof Parameters, Range>>> = {
  temperature: { low: 0, high: 2 },
  topP: { low: 0, high: 1 },
  topK: { low: 1, high: 1_000_000, whole: true },
  maxTokens: { low: 1, high: MAX_INT, whole: true },
  presencePenalty: { low: -2, high: 2 },
  frequencyPenalty: { low: -2, high: 2 },
  repetitionPenalty: { low: 0, high: 10 },
  reasoningTokens: { low: 0, high: MAX_INT, whole: true },
  seed: { low: Number.MIN_SAFE_INTEGER, high: Number.MAX_SAFE_INTEGER, whole: true },
};

/** Each rule that the parameters break, and what would be right. */
export function* faultsOfParameters(parameters: Parameters): Generator<ParameterFault> {
  for (const [name, range] of Object.entries(RANGES)) {
    const fault = faultOfNumber(parameters[name as keyof Parameters] as number | undefined, range);
    if (fault) yield { path: name, message: fault };
  }
  yield* faultsOfStops(parameters.stop ?? []);
  for (const [token, bias] of Object.entries(parameters.logitBias ?? {})) {
    const fault = faultOfNumber(bias, { low: -100, high: 100 });
    if (fault) yield { path: `logitBias.${token.slice(0, 40)}`, message: fault };
  }
}

function faultOfNumber(value: number | undefined, { low, high, whole }: Range): string | undefined {
  if (value === undefined) return undefined;
  if (!Number.isFinite(value) || value < low || value > high) return `must lie between ${low} and ${high}`;
  return whole && !Number.isSafeInteger(value) ? 'must be a whole number' : undefined;
}

function* faultsOfStops(stops: readonly string[]): Generator<ParameterFault> {
  if (stops.length > MAX_STOPS) yield { path: 'stop', message: `at most ${MAX_STOPS} stop texts are taken` };
  for (const [index, text] of stops.entries()) {
    if (text === '' || text.length > MAX_STOP_LENGTH || !isStorableText(text)) {
      yield {
        path: `stop[${index}]`,
        message: `must have 1 to ${MAX_STOP_LENGTH} characters, without U+0000 or half a surrogate pair`,
      };
    }
  }
}
