// Owns how the quirks of a row are read, in one way for every protocol: strictly, so that a misspelt name is told and not ignored.
import { z } from 'zod';
import { ProviderError } from '../../kernel/errors.ts';
import type { JsonObject } from '../../kernel/json.ts';
import type { QuirksFault } from '../contract/adapter.ts';

/** Made by `z.strictObject`. */
type QuirksSchema = z.ZodObject;

/** Of a protocol that knows none. */
export const NO_QUIRKS = z.strictObject({});

/** Raises `MODEL_UNAVAILABLE`: what a row says wrongly does not keep a run from another candidate. */
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

/** Every fault, with the place and what is known there: for whoever writes the row. */
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
