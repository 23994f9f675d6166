// Owns the data of a Cohere answer that must be sent back with it: the plan for its tools, and its reasoning.
import { z } from 'zod';
import type { JsonValue } from '../../kernel/json.ts';

const continuationSchema = z.object({ toolPlan: z.string().default(''), thinking: z.string().default('') });

export type CohereContinuation = z.output<typeof continuationSchema>;

export function readContinuation(value: JsonValue | undefined): CohereContinuation {
  const result = continuationSchema.safeParse(value);
  return result.success ? result.data : { toolPlan: '', thinking: '' };
}

export function toContinuation({ toolPlan, thinking }: CohereContinuation): JsonValue | undefined {
  if (toolPlan === '' && thinking === '') return undefined;
  return { ...(toolPlan === '' ? {} : { toolPlan }), ...(thinking === '' ? {} : { thinking }) };
}
