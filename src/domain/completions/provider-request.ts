// Owns the translation of a caller's request into the request for one candidate's adapter, and the list of what had to be left out.

import { GatewayError } from '../../kernel/errors.ts';
import type {
  Completions,
  Message,
  Parameters,
  ProviderRequest,
} from '../../providers/contract/completions.ts';
import type { Candidate } from '../routing/candidates.ts';
import type { CallableCandidate } from '../runs/kind.ts';
import type { RunWarning } from '../runs/run-record.ts';
import type { CompletionRequest, RequestMessage } from './completion-request.ts';
import { type Continuation, decodeContinuation } from './continuation.ts';

export interface TranslatedRequest {
  readonly request: ProviderRequest;
  readonly warnings: readonly RunWarning[];
}

export function translateRequest(call: CallableCandidate, asked: CompletionRequest): TranslatedRequest {
  const { candidate, adapter, target } = call;
  const { model, instance } = candidate;
  const warnings: RunWarning[] = [];
  const request: ProviderRequest = {
    target,
    model: {
      key: model?.key ?? candidate.canonicalId,
      reasoning: model?.capabilities.includes('reasoning') ?? false,
      ...(model?.maxOutputTokens ? { maxOutputTokens: model.maxOutputTokens } : {}),
    },
    messages: asked.messages.map((message) => translateMessage(message, candidate, warnings)),
    parameters: { ...(instance?.defaultParameters as Parameters | undefined), ...asked.parameters },
    tools: asked.tools,
    ...(asked.toolChoice ? { toolChoice: asked.toolChoice } : {}),
    ...(asked.responseFormat ? { responseFormat: asked.responseFormat } : {}),
    providerOptions: asked.providerOptions[adapter.protocol] ?? {},
  };
  for (const dropped of completionsOf(call).unsupported(request)) {
    warnings.push({ code: 'UNSUPPORTED_DROPPED', message: `${dropped.path}: ${dropped.message}` });
  }
  return { request, warnings };
}

/** Called only for adapters that offer completions: the engine asks `Kind.isOfferedBy` first. */
export function completionsOf({ adapter }: CallableCandidate): Completions {
  if (adapter.completions) return adapter.completions;
  throw new GatewayError(
    'CAPABILITY_MISSING',
    `The protocol "${adapter.protocol}" offers no completions here`,
  );
}

function translateMessage(message: RequestMessage, candidate: Candidate, warnings: RunWarning[]): Message {
  const { continuation: text, ...rest } = message;
  const continuation = text === undefined ? undefined : decodeContinuation(text);
  if (!continuation) return rest;
  if (takesUp(candidate, continuation)) return { ...rest, continuation: continuation.data };
  warnings.push({
    code: 'CONTINUATION_DROPPED',
    message: `The continuation was made by ${continuation.canonicalId} (${continuation.protocol}) and means nothing to ${candidate.canonicalId}`,
  });
  return rest;
}

/** Signatures and state ids are valid only for the protocol and the model that made them. */
function takesUp(candidate: Candidate, continuation: Continuation): boolean {
  return candidate.protocol === continuation.protocol && candidate.canonicalId === continuation.canonicalId;
}

/** The latest continuation among the assistant messages. */
export function latestContinuation(messages: readonly RequestMessage[]): Continuation | undefined {
  const text = messages.findLast((message) => message.continuation !== undefined)?.continuation;
  return text === undefined ? undefined : decodeContinuation(text);
}
