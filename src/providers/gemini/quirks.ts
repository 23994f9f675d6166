// Owns the named deviations of Gemini models and endpoints, and the values that follow from a model's generation if its row has none.
import { z } from 'zod';
import type { ProviderTarget } from '../contract/target.ts';
import { readQuirks } from '../shared/quirks.ts';

export const THINKING_LEVELS = ['minimal', 'low', 'medium', 'high'] as const;

export const quirksSchema = z.strictObject({
  /**
   * Whether thinking is set by `thinkingLevel` or by `thinkingBudget`; a request with both is refused.
   * Models up to 2.5 know budgets only. https://ai.google.dev/gemini-api/docs/thinking
   */
  thinking: z.enum(['level', 'budget']).optional(),
  /** Levels that the model knows, lowest first. Gemini 3 Pro lacks `minimal`, its first preview `medium` too. */
  thinkingLevels: z.array(z.enum(THINKING_LEVELS)).min(1).optional(),
  /** Least thinking budget; 0 where thinking can be switched off. Gemini 2.5 Pro: 128. */
  thinkingBudgetMin: z.int().min(0).optional(),
  /** Largest thinking budget. Gemini 2.5 Flash: 24,576; 2.5 Pro: 32,768. */
  thinkingBudgetMax: z.int().min(1).optional(),
  /**
   * Whether a function call in the history needs a signature, or the request is refused: Gemini 3 and later.
   * https://ai.google.dev/gemini-api/docs/thought-signatures
   */
  thoughtSignatures: z.enum(['required', 'optional']).optional(),
  /** Whether function declarations and JSON output go together; models up to 2.5 refuse both in one request. */
  toolsWithJson: z.boolean().optional(),
  /** Whether a function's result may carry images (`functionResponse.parts`): Gemini 3 and later. */
  toolResultImages: z.boolean().optional(),
  /** Whether the endpoint fetches images by http(s) address (`fileData`). */
  imageUrls: z.boolean().optional(),
  /** Vertex: version in the path. */
  apiVersion: z
    .string()
    .regex(/^v\d\w*$/)
    .optional(),
  /** Vertex: model that the check names; it need not exist. */
  checkModel: z.string().min(1).optional(),
});

export type GeminiQuirks = Required<z.output<typeof quirksSchema>>;

/** Gemini 1 and 2, by name: `gemini-2.5-flash`, `models/gemini-2.0-flash`. Aliases such as `gemini-flash-latest` are of a later one. */
const EARLY_GENERATION = /(^|\/)(learnlm|gemini-(exp|embedding|[12][.-]))/;

export function quirksOf(target: ProviderTarget, modelKey = ''): GeminiQuirks {
  const own = readQuirks('gemini', quirksSchema, target.quirks);
  const early = EARLY_GENERATION.test(modelKey);
  return {
    thinking: early ? 'budget' : 'level',
    thinkingLevels: [...THINKING_LEVELS],
    thinkingBudgetMin: 0,
    thinkingBudgetMax: 24_576,
    thoughtSignatures: early ? 'optional' : 'required',
    toolsWithJson: !early,
    toolResultImages: !early,
    imageUrls: true,
    apiVersion: 'v1beta1',
    checkModel: 'gemini-2.5-flash',
    ...own,
  };
}
