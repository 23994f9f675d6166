// Owns the options by which a caller sets the sandbox's behaviour in `providerOptions`, and the refusal of wrong ones.
import { z } from 'zod';
import { ProviderError, type ProviderErrorCode } from '../../kernel/errors.ts';
import type { JsonObject, JsonValue } from '../../kernel/json.ts';

const FAIL_CODES = [
  'PROVIDER_AUTHENTICATION',
  'PROVIDER_RATE_LIMITED',
  'PROVIDER_TIMEOUT',
  'PROVIDER_INVALID_REQUEST',
  'PROVIDER_CONTENT_FILTERED',
  'PROVIDER_UNAVAILABLE',
  'PROVIDER_PROTOCOL',
  'CONTEXT_LENGTH_EXCEEDED',
  'MODEL_UNAVAILABLE',
  'CAPABILITY_MISSING',
] as const satisfies readonly ProviderErrorCode[];

const MAX_TOKENS = 100_000;
const tokenCount = z.int().min(0).max(MAX_TOKENS);
const milliseconds = z.number().min(0).max(3_600_000);

const failSchema = z.strictObject({
  code: z.enum(FAIL_CODES),
  message: z.string().optional(),
  status: z.int().min(100).max(599).optional(),
  retryAfterMs: milliseconds.optional(),
  /** More than 0: the fault comes in mid-stream, after that many tokens. */
  afterTokens: tokenCount.default(0),
  transient: z.boolean().optional(),
});

const optionsSchema = z.strictObject({
  /** The exact text of the answer. */
  text: z.string().max(1_000_000).optional(),
  /** Exact length of the text in tokens, if `text` is not given; without it the text ends with a whole sentence. */
  tokens: z.int().min(1).max(MAX_TOKENS).optional(),
  /** 0 is as fast as possible. */
  tokensPerSecond: z.number().min(0).max(10_000_000).default(50),
  /** How many tokens arrive in one read. */
  tokensPerRead: z.int().min(1).max(MAX_TOKENS).default(1),
  firstTokenMs: milliseconds.default(50),
  reasoningTokens: tokenCount.optional(),
  /** Exactly these tool calls. Arguments given as text are sent unchanged, so that broken JSON can be tried. */
  toolCalls: z
    .array(
      z.strictObject({
        name: z.string().min(1),
        arguments: z.union([z.record(z.string(), z.json()), z.string()]).default({}),
      }),
    )
    .max(128)
    .optional(),
  finishReason: z.enum(['stop', 'length', 'tool-calls', 'content-filter', 'other']).optional(),
  fail: failSchema.optional(),
  /** After that many tokens nothing more comes, and the answer does not end. */
  stallAfterTokens: tokenCount.optional(),
  /** After that many tokens the stream ends without `finish`, as that of a faulty adapter would. */
  cutAfterTokens: tokenCount.optional(),
});

export type SandboxOptions = z.output<typeof optionsSchema>;
export type SandboxFault = z.output<typeof failSchema>;

export function parseSandboxOptions(providerOptions: JsonObject): SandboxOptions {
  const result = optionsSchema.safeParse(providerOptions);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const keys = issue?.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
  const path = ['providerOptions', ...(issue?.path ?? []), ...keys].join('.');
  throw new ProviderError('PROVIDER_INVALID_REQUEST', `${path}: ${issue?.message ?? 'not valid'}`, {
    cause: result.error,
    status: 400,
    phase: 'headers',
  });
}

/** The text that a chosen tool call sends as its arguments. */
export function argumentsTextOf(value: JsonValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
