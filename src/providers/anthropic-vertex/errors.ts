// Owns whose words an error of Claude on Vertex is in: Google's for address, credential and quota, Anthropic's for the request.
import type { ProviderError } from '../../kernel/errors.ts';
import { faultOfAnswer as faultOfAnthropicAnswer } from '../anthropic-messages/errors.ts';
import type { UpstreamResponse } from '../contract/http.ts';
import type { ProviderTarget } from '../contract/target.ts';
import { faultOfBody, isGoogleError } from '../gemini/errors.ts';
import { faultOfRedirect } from '../shared/answer-faults.ts';

export async function faultOfAnswer(
  target: ProviderTarget,
  response: UpstreamResponse,
): Promise<ProviderError> {
  const { status, headers } = response;
  const body = await response.text();
  if (status >= 300 && status < 400) return faultOfRedirect(status, headers);
  if (isGoogleError(body)) return faultOfBody(response, body, target.secret);
  return faultOfAnthropicAnswer(target, status, headers, body);
}
