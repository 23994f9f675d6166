// Owns which parts of a request Claude on Vertex cannot express: those of the Messages protocol, and images by address.
import type { ProviderRequest, Unsupported } from '../contract/completions.ts';
import { encodeRequest } from './encode.ts';

export function unsupportedBy(request: ProviderRequest): Unsupported[] {
  return [...encodeRequest(request).refused];
}
