// Owns what of a request this protocol, with a model's quirks, cannot be told: the encoder finds it, in the one pass that also makes the body.
import type { ProviderRequest, Unsupported } from '../contract/completions.ts';
import { encodeRequest } from './encode.ts';

export function unsupportedBy(request: ProviderRequest): Unsupported[] {
  return [...encodeRequest(request).refused];
}
