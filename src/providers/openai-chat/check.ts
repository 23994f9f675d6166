// Owns the check of address and credential: a GET, or a completion that is too empty to cost anything.
import { ProviderError } from '../../kernel/errors.ts';
import type { UpstreamHttp, UpstreamRequest, UpstreamResponse } from '../contract/http.ts';
import type { ProviderTarget } from '../contract/target.ts';
import { isPage, noApi, requireJson } from '../shared/check-answer.ts';
import { faultOfAnswer } from './errors.ts';

/** Gives the body, which is JSON. */
export async function checkByGet(
  http: UpstreamHttp,
  target: ProviderTarget,
  request: UpstreamRequest,
): Promise<string> {
  const response = await http.send(request);
  if (isSuccess(response)) {
    const text = await response.text();
    requireJson(text, request.url);
    return text;
  }
  throw ofAddress(await faultOfAnswer(response, target.secret), target, request);
}

/** With a good credential the server validates the body, which names no model and no message, and refuses it as invalid. */
export async function checkByEmptyCompletion(
  http: UpstreamHttp,
  target: ProviderTarget,
  request: UpstreamRequest,
): Promise<void> {
  const response = await http.send(request);
  if (isPage(response)) {
    await response.text();
    throw noApi(request.url);
  }
  if (isSuccess(response)) {
    await response.text();
    return;
  }
  const fault = await faultOfAnswer(response, target.secret);
  if (!isValidation(fault)) throw ofAddress(fault, target, request);
}

/** Some servers look for the model, which was not named, before they check the rest. */
function isValidation({ code, status, message }: ProviderError): boolean {
  if (code === 'PROVIDER_AUTHENTICATION') return false;
  return status === 400 || status === 422 || (status === 404 && /model/i.test(message));
}

function isSuccess({ status }: UpstreamResponse): boolean {
  return status >= 200 && status < 300;
}

/** Since no model is named, "not found" is about the address. */
function ofAddress(fault: ProviderError, target: ProviderTarget, request: UpstreamRequest): ProviderError {
  if (fault.status !== 404) return fault;
  const { host, pathname } = new URL(request.url);
  return new ProviderError(
    'PROVIDER_UNAVAILABLE',
    `There is nothing at ${host}${pathname}, which the provider ${target.providerKey} should answer: ${fault.message}`,
    { cause: fault, status: 404, phase: 'headers' },
  );
}
