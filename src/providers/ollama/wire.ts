// Owns the shapes that an Ollama server sends, as far as they are used.
import { z } from 'zod';

const toolCallSchema = z.object({
  id: z.string().nullish(),
  function: z.object({
    name: z.string(),
    arguments: z.union([z.record(z.string(), z.json()), z.string()]).nullish(),
  }),
});

export const chunkSchema = z.object({
  model: z.string().optional(),
  message: z
    .object({
      content: z.string().nullish(),
      thinking: z.string().nullish(),
      tool_calls: z.array(toolCallSchema).nullish(),
    })
    .optional(),
  /** The text of an answer of `/api/generate`, which is otherwise alike. */
  response: z.string().optional(),
  thinking: z.string().optional(),
  done: z.boolean().optional(),
  done_reason: z.string().optional(),
  prompt_eval_count: z.number().min(0).optional(),
  eval_count: z.number().min(0).optional(),
  error: z.union([z.string(), z.object({ message: z.string() })]).optional(),
});

export const tagsSchema = z.object({ models: z.array(z.object({ name: z.string() })).nullable() });

export const showSchema = z.object({
  capabilities: z.array(z.string()).nullish(),
  model_info: z.record(z.string(), z.unknown()).nullish(),
});

export const versionSchema = z.object({ version: z.string() });

export type OllamaChunk = z.output<typeof chunkSchema>;
export type OllamaToolCall = z.output<typeof toolCallSchema>;
export type OllamaShow = z.output<typeof showSchema>;
