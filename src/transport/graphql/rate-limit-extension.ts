// Owns `extensions.rateLimit` of a result: what is left of the caller's limits, given once for each completion that was begun.
import type { GraphContext } from '../../graphql/context.ts';

export function withRateLimit<Result extends { extensions?: Record<string, unknown> | undefined }>(
  result: Result,
  { notes }: GraphContext,
): Result {
  const { rateLimit } = notes;
  if (!rateLimit) return result;
  delete notes.rateLimit;
  return { ...result, extensions: { ...result.extensions, rateLimit } };
}
