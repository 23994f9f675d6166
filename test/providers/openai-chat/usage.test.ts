import { expect, test } from 'vitest';
import { usageOf } from '../../../src/providers/openai-chat/usage.ts';

function tokens(input: number, cacheRead: number, cacheWrite: number, output: number, reasoning: number) {
  return {
    inputTokens: input,
    cacheReadTokens: cacheRead,
    cacheWriteTokens: cacheWrite,
    outputTokens: output,
    reasoningTokens: reasoning,
  };
}

test.each([
  [
    'OpenAI: cached and reasoning are subsets',
    {
      prompt_tokens: 100,
      completion_tokens: 40,
      total_tokens: 140,
      prompt_tokens_details: { cached_tokens: 64 },
      completion_tokens_details: { reasoning_tokens: 30 },
    },
    tokens(36, 64, 0, 10, 30),
  ],
  [
    'OpenRouter: cache writes are within the prompt',
    {
      prompt_tokens: 100,
      completion_tokens: 4,
      total_tokens: 104,
      cost: 0.1,
      prompt_tokens_details: { cached_tokens: 60, cache_write_tokens: 30 },
    },
    tokens(10, 60, 30, 4, 0),
  ],
  [
    'xAI: reasoning is beside the completion',
    {
      prompt_tokens: 291,
      completion_tokens: 26,
      total_tokens: 513,
      completion_tokens_details: { reasoning_tokens: 196 },
    },
    tokens(291, 0, 0, 26, 196),
  ],
  [
    'reasoning beside the completion, without a total',
    { prompt_tokens: 5, completion_tokens: 2, completion_tokens_details: { reasoning_tokens: 9 } },
    tokens(5, 0, 0, 2, 9),
  ],
  [
    'Grok on Foundry: more cached than there is',
    {
      prompt_tokens: 208,
      completion_tokens: 8,
      total_tokens: 216,
      prompt_tokens_details: { cached_tokens: 314 },
    },
    tokens(0, 208, 0, 8, 0),
  ],
  [
    'DeepSeek: cache hits of its own',
    {
      prompt_tokens: 97,
      completion_tokens: 7,
      total_tokens: 104,
      prompt_cache_hit_tokens: 64,
      prompt_cache_miss_tokens: 33,
    },
    tokens(33, 64, 0, 7, 0),
  ],
  [
    'Mistral: cached at the top',
    { prompt_tokens: 254, completion_tokens: 9, total_tokens: 263, num_cached_tokens: 48 },
    tokens(206, 48, 0, 9, 0),
  ],
  [
    'Mistral: audio beside the prompt',
    {
      prompt_tokens: 10,
      completion_tokens: 5,
      total_tokens: 115,
      prompt_tokens_details: { audio_tokens: 100 },
    },
    tokens(110, 0, 0, 5, 0),
  ],
  [
    'OpenAI: audio within the prompt',
    {
      prompt_tokens: 110,
      completion_tokens: 5,
      total_tokens: 115,
      prompt_tokens_details: { audio_tokens: 100 },
    },
    tokens(110, 0, 0, 5, 0),
  ],
  [
    'null details',
    {
      prompt_tokens: 4,
      completion_tokens: 2,
      total_tokens: 6,
      prompt_tokens_details: null,
      completion_tokens_details: null,
    },
    tokens(4, 0, 0, 2, 0),
  ],
  [
    'nonsense in the details',
    {
      prompt_tokens: 4,
      completion_tokens: 2,
      total_tokens: 6,
      prompt_tokens_details: { cached_tokens: -1 },
      completion_tokens_details: { reasoning_tokens: 'x' },
    },
    tokens(4, 0, 0, 2, 0),
  ],
])('the usage of a chat answer is read: %s', (_dialect, wire, expected) => {
  expect(usageOf(wire)).toEqual(expected);
});

test.each([[null], [undefined], ['x'], [{}], [{ total_tokens: 3 }]])(
  'the usage %j of a chat answer tells nothing',
  (wire) => {
    expect(usageOf(wire)).toBeUndefined();
  },
);
