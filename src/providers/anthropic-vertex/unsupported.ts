// Owns what of a request Claude on Vertex cannot be told: what the Messages protocol cannot, and images by address.
import type { ProviderRequest, Unsupported } from '../contract/completions.ts';
import { encodeRequest } from './encode.ts';

export function unsupportedBy(request: ProviderRequest): Unsupported[] {
  return [...encodeRequest(request).refused];
}
