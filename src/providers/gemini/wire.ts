// Owns the shapes that Gemini sends, as far as they are used, and the shapes that are sent to it.
import { z } from 'zod';
import type { JsonObject } from '../../kernel/json.ts';

const count = z.int().min(0).optional();

export const usageSchema = z.object({
  promptTokenCount: count,
  candidatesTokenCount: count,
  thoughtsTokenCount: count,
  cachedContentTokenCount: count,
  toolUsePromptTokenCount: count,
});

export const partialArgSchema = z.object({
  jsonPath: z.string(),
  stringValue: z.string().optional(),
  numberValue: z.number().optional(),
  boolValue: z.boolean().optional(),
  nullValue: z.unknown().optional(),
});

export const functionCallSchema = z.object({
  name: z.string().optional(),
  id: z.string().optional(),
  args: z.record(z.string(), z.json()).nullish(),
  /** Sent by Vertex only, if `streamFunctionCallArguments` was requested. */
  partialArgs: z.array(partialArgSchema).optional(),
  willContinue: z.boolean().optional(),
});

/** A loose schema, since a part of an unknown kind must be sent back unchanged. */
export const partSchema = z.looseObject({
  text: z.string().optional(),
  thought: z.boolean().optional(),
  thoughtSignature: z.string().optional(),
  functionCall: functionCallSchema.optional(),
  inlineData: z.object({ mimeType: z.string().optional() }).optional(),
});

export const candidateSchema = z.object({
  content: z.object({ parts: z.array(partSchema).nullish() }).nullish(),
  finishReason: z.string().optional(),
  finishMessage: z.string().optional(),
});

export const errorSchema = z.object({
  code: z.number().optional(),
  message: z.string().optional(),
  status: z.string().optional(),
  details: z
    .array(
      z.object({
        '@type': z.string().optional(),
        reason: z.string().optional(),
        retryDelay: z.string().optional(),
        violations: z.array(z.object({ quotaId: z.string().optional() })).optional(),
      }),
    )
    .optional(),
});

export const answerSchema = z.object({
  candidates: z.array(candidateSchema).nullish(),
  promptFeedback: z
    .object({ blockReason: z.string().optional(), blockReasonMessage: z.string().optional() })
    .nullish(),
  usageMetadata: usageSchema.nullish(),
  modelVersion: z.string().optional(),
  responseId: z.string().optional(),
  error: errorSchema.optional(),
});

export const modelListSchema = z.object({
  models: z
    .array(
      z.object({
        name: z.string(),
        displayName: z.string().optional(),
        inputTokenLimit: z.number().optional(),
        outputTokenLimit: z.number().optional(),
        supportedGenerationMethods: z.array(z.string()).optional(),
        thinking: z.boolean().optional(),
      }),
    )
    .optional(),
  nextPageToken: z.string().optional(),
});

export type GeminiAnswer = z.output<typeof answerSchema>;
export type GeminiPart = z.output<typeof partSchema>;
export type GeminiFunctionCall = z.output<typeof functionCallSchema>;
export type GeminiPartialArg = z.output<typeof partialArgSchema>;
export type GeminiUsage = z.output<typeof usageSchema>;
export type GeminiError = z.output<typeof errorSchema>;

export interface GeminiContent {
  readonly role: 'user' | 'model';
  readonly parts: JsonObject[];
}
