// Owns how the quirks of a row are read, in the same way for every protocol: strictly, so that a misspelt name is reported and not ignored.
import { z } from 'zod';
import { ProviderError } from '../../kernel/errors.ts';
import type { JsonObject } from '../../kernel/json.ts';
import type { QuirksFault } from '../contract/adapter.ts';

/** A schema that `z.strictObject` has made. */
type QuirksSchema = z.ZodObject;

/** The schema of a protocol that has no quirks. */
export const NO_QUIRKS = z.strictObject({});

/** Raises `MODEL_UNAVAILABLE`, so that a run goes on with another candidate if a row is wrong. */
export function readQuirks<Schema extends QuirksSchema>(
  protocol: string,
  schema: Schema,
  quirks: JsonObject,
): z.output<Schema> {
  const result = schema.safeParse(quirks);
  if (result.success) return result.data;
  throw new ProviderError('MODEL_UNAVAILABLE', `Quirks of ${protocol}: ${z.prettifyError(result.error)}`, {
    cause: result.error,
  });
}

/** A function that gives every fault of a row's quirks, with its place and the names that are known there, for the row's author. */
export function faultsIn(schema: QuirksSchema): (quirks: JsonObject) => readonly QuirksFault[] {
  const known = Object.keys(schema.shape).sort().join(', ') || 'none';
  return (quirks) => {
    const result = schema.safeParse(quirks);
    return (result.error?.issues ?? []).flatMap((issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => ({
            path: [...issue.path, key].join('.'),
            message: `is not known to this protocol; known are: ${known}`,
          }))
        : [{ path: issue.path.join('.'), message: issue.message }],
    );
  };
}
