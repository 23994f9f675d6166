// Owns what this protocol, with a model's quirks, cannot express of a request. The encoder finds it in the same pass that makes the body.
import type { ProviderRequest, Unsupported } from '../contract/completions.ts';
import { encodeRequest } from './encode.ts';

export function unsupportedBy(request: ProviderRequest): Unsupported[] {
  return [...encodeRequest(request).refused];
}
