// Owns the request for a stream, and what follows if the provider refuses to stream to this organisation.
import { ProviderError } from '../../kernel/errors.ts';
import type { UpstreamResponse } from '../contract/http.ts';
import type { CallOptions } from '../contract/target.ts';

export interface StreamableCall {
  send(streamed: boolean): Promise<UpstreamResponse>;
  faultOf(response: UpstreamResponse): Promise<ProviderError>;
}

/** Gives a response of status 200 to 299. OpenAI streams some models to verified organisations only, but answers all organisations in one piece. */
export async function sendStreamed(
  { send, faultOf }: StreamableCall,
  { wholeSuffices, onSign }: CallOptions,
): Promise<UpstreamResponse> {
  const response = await send(true);
  if (isSuccess(response)) return response;
  const fault = await faultOf(response);
  if (!refusesStream(fault)) throw fault;
  if (!wholeSuffices) throw withAdvice(fault);
  onSign?.('whole');
  const whole = await send(false);
  if (isSuccess(whole)) return whole;
  throw await faultOf(whole);
}

export function isSuccess({ status }: Pick<UpstreamResponse, 'status'>): boolean {
  return status >= 200 && status < 300;
}

function refusesStream({ status, providerCode, message }: ProviderError): boolean {
  return status === 400 && providerCode === 'unsupported_value' && /\bstream\b/i.test(message);
}

function withAdvice(fault: ProviderError): ProviderError {
  const { code, status, phase, providerCode, providerRequestId } = fault;
  return new ProviderError(
    code,
    `The provider does not stream this model to your organisation. Verify the organisation there, or call "complete", or set "routing.commit" to COMPLETE, which do without a stream. In its words: ${fault.message}`,
    {
      cause: fault,
      ...(status === undefined ? {} : { status }),
      ...(phase === undefined ? {} : { phase }),
      ...(providerCode === undefined ? {} : { providerCode }),
      ...(providerRequestId === undefined ? {} : { providerRequestId }),
    },
  );
}
