// Owns the opaque string that an assistant message carries from one turn of a tool loop to the next.
import type { JsonValue } from '../../kernel/json.ts';
import { isJsonObject, parseJson } from '../../kernel/json.ts';
import type { ContinuationMaker } from '../routing/model-needs.ts';

export interface Continuation extends ContinuationMaker {
  /** The data that the adapter gave with its finish part. */
  readonly data: JsonValue;
}

export function encodeContinuation(continuation: Continuation): string {
  return Buffer.from(JSON.stringify(continuation)).toString('base64url');
}

/** `undefined` if the text is not a continuation that this gateway made. */
export function decodeContinuation(text: string): Continuation | undefined {
  const value = parseJson(Buffer.from(text, 'base64url').toString());
  if (!isJsonObject(value)) return undefined;
  const { instanceId = null, canonicalId, protocol, data } = value;
  if (typeof canonicalId !== 'string' || typeof protocol !== 'string' || data === undefined) return undefined;
  if (instanceId !== null && typeof instanceId !== 'string') return undefined;
  return { instanceId, canonicalId, protocol, data };
}
