// Owns the shapes of Converse answers: only fields that are read are checked.
import { z } from 'zod';
import { isJsonObject, type JsonObject } from '../../kernel/json.ts';

/** One frame of an event stream. */
export interface EventFrame {
  /** Text headers, e.g. `:event-type`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: string;
}

const count = z.number().nullish();

const usageSchema = z.object({
  inputTokens: count,
  outputTokens: count,
  cacheReadInputTokens: count,
  cacheWriteInputTokens: count,
  cacheReadInputTokenCount: count,
  cacheWriteInputTokenCount: count,
});

const toolUseStartSchema = z.object({ toolUseId: z.string(), name: z.string(), type: z.string().nullish() });
const index = z.number().default(0);

/** Schemas by event type; events of other types are ignored. */
export const eventSchemas = {
  messageStart: z.object({}),
  contentBlockStart: z.object({
    contentBlockIndex: index,
    start: z.object({ toolUse: toolUseStartSchema.optional() }).nullish(),
  }),
  contentBlockDelta: z.object({
    contentBlockIndex: index,
    delta: z.object({
      text: z.string().optional(),
      toolUse: z.object({ input: z.string() }).optional(),
      reasoningContent: z
        .object({
          text: z.string().optional(),
          signature: z.string().optional(),
          redactedContent: z.string().optional(),
        })
        .optional(),
    }),
  }),
  contentBlockStop: z.object({ contentBlockIndex: index }),
  messageStop: z.object({ stopReason: z.string().nullish() }),
  metadata: z.object({ usage: usageSchema.nullish() }),
};

const blockSchema = z.object({
  text: z.string().optional(),
  toolUse: toolUseStartSchema.extend({ input: z.custom<JsonObject>(isJsonObject).optional() }).optional(),
  reasoningContent: z
    .object({
      reasoningText: z.object({ text: z.string(), signature: z.string().nullish() }).optional(),
      redactedContent: z.string().optional(),
    })
    .optional(),
  citationsContent: z
    .object({ content: z.array(z.object({ text: z.string().nullish() })).nullish() })
    .optional(),
});

export const answerSchema = z.object({
  output: z.object({ message: z.object({ content: z.array(blockSchema) }) }),
  stopReason: z.string().nullish(),
  usage: usageSchema.nullish(),
});

export const foundationModelsSchema = z.object({
  modelSummaries: z.array(
    z.object({
      modelId: z.string(),
      modelArn: z.string().nullish(),
      modelName: z.string().nullish(),
      inputModalities: z.array(z.string()).nullish(),
      outputModalities: z.array(z.string()).nullish(),
      inferenceTypesSupported: z.array(z.string()).nullish(),
      modelLifecycle: z.object({ status: z.string().nullish() }).nullish(),
    }),
  ),
});

export const inferenceProfilesSchema = z.object({
  inferenceProfileSummaries: z.array(
    z.object({
      inferenceProfileId: z.string(),
      inferenceProfileArn: z.string().nullish(),
      inferenceProfileName: z.string().nullish(),
      type: z.string().nullish(),
      status: z.string().nullish(),
      models: z.array(z.object({ modelArn: z.string().nullish() })).nullish(),
    }),
  ),
  nextToken: z.string().nullish(),
});

type Schemas = typeof eventSchemas;

export type WireEvent = {
  [Name in keyof Schemas]: { readonly type: Name; readonly body: z.output<Schemas[Name]> };
}[keyof Schemas];
export type WireAnswer = z.output<typeof answerSchema>;
export type WireUsage = z.output<typeof usageSchema>;
export type WireDelta = z.output<Schemas['contentBlockDelta']>['delta'];
