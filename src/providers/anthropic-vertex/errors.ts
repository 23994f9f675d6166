// Owns which party wrote an error of Claude on Vertex: Google for address, credential and quota, Anthropic for the request.
import type { ProviderError } from '../../kernel/errors.ts';
import type { Secret } from '../../kernel/secret.ts';
import { faultOfBody as faultOfAnthropicBody } from '../anthropic-messages/errors.ts';
import type { UpstreamResponse } from '../contract/http.ts';
import { faultOfBody as faultOfGoogleBody, isGoogleError } from '../gemini/errors.ts';
import { faultOfRedirect } from '../shared/answer-faults.ts';

export async function faultOfAnswer(
  response: UpstreamResponse,
  secret: Secret | undefined,
): Promise<ProviderError> {
  const { status, headers } = response;
  const body = await response.text();
  if (status >= 300 && status < 400) return faultOfRedirect(status, headers);
  return (isGoogleError(body) ? faultOfGoogleBody : faultOfAnthropicBody)(response, body, secret);
}
