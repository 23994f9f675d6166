// Owns the proof of address and credential: a GET, or a completion that is too empty to cost anything.
import { ProviderError } from '../../kernel/errors.ts';
import type { ProviderTarget, UpstreamHttp, UpstreamRequest, UpstreamResponse } from '../contract.ts';
import { faultOfAnswer } from './errors.ts';

/** Gives the body. */
export async function checkByGet(
  http: UpstreamHttp,
  target: ProviderTarget,
  request: UpstreamRequest,
): Promise<string> {
  const response = await http.send(request);
  if (isSuccess(response)) return response.text();
  throw ofAddress(await faultOfAnswer(response, target.secret), target, request);
}

/** A good credential gets as far as the validation of the body, which names no model and no message. */
export async function checkByEmptyCompletion(
  http: UpstreamHttp,
  target: ProviderTarget,
  request: UpstreamRequest,
): Promise<void> {
  const response = await http.send(request);
  if (isSuccess(response)) {
    await response.text();
    return;
  }
  const fault = await faultOfAnswer(response, target.secret);
  const validated = response.status === 400 || response.status === 422;
  if (!validated || fault.code === 'PROVIDER_AUTHENTICATION') throw ofAddress(fault, target, request);
}

function isSuccess({ status }: UpstreamResponse): boolean {
  return status >= 200 && status < 300;
}

/** Without a model in play, "not found" speaks of the address. */
function ofAddress(fault: ProviderError, target: ProviderTarget, request: UpstreamRequest): ProviderError {
  if (fault.status !== 404) return fault;
  const { host, pathname } = new URL(request.url);
  return new ProviderError(
    'PROVIDER_UNAVAILABLE',
    `There is nothing at ${host}${pathname}, which the provider ${target.providerKey} should answer: ${fault.message}`,
    { cause: fault, status: 404, phase: 'headers' },
  );
}
