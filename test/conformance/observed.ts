// Owns what an adapter made of a served body, and whether it kept the contract of a stream while doing so.
import { ProviderError } from '../../src/kernel/errors.ts';
import type { StreamPart } from '../../src/providers/contract/completions.ts';

export interface ObservedCall {
  callId: string;
  name: string;
  argumentsText: string;
}

export interface Observed {
  text: string;
  reasoning: string;
  calls: ObservedCall[];
  finish?: Extract<StreamPart, { type: 'finish' }>;
  usage?: Extract<StreamPart, { type: 'usage' }>['usage'];
  /** What the stream raised. */
  error?: unknown;
  /** Breaches of the contract that no body excuses. */
  breaches: string[];
}

export async function observe(stream: AsyncIterable<StreamPart[]>): Promise<Observed> {
  const observed: Observed = { text: '', reasoning: '', calls: [], breaches: [] };
  let starts = 0;
  try {
    for await (const parts of stream) {
      if (parts.length === 0) observed.breaches.push('yielded an empty array');
      for (const part of parts) {
        if (part.type === 'response-start' && ++starts > 1) observed.breaches.push('started twice');
        take(observed, part);
      }
    }
    if (!observed.finish) observed.breaches.push('ended without a finish');
  } catch (error) {
    observed.error = error;
    if (observed.finish) observed.breaches.push('raised after the finish');
    if (!(error instanceof ProviderError)) observed.breaches.push(`raised no ProviderError: ${error}`);
  }
  return observed;
}

function take(observed: Observed, part: StreamPart): void {
  if (observed.finish) observed.breaches.push(`${part.type} after the finish`);
  if (part.type === 'text-delta') observed.text += part.text;
  if (part.type === 'reasoning-delta') observed.reasoning += part.text;
  if (part.type === 'usage') observed.usage = part.usage;
  if (part.type === 'finish') observed.finish = part;
  if (part.type === 'tool-call-delta') takeCall(observed, part);
}

function takeCall(observed: Observed, part: Extract<StreamPart, { type: 'tool-call-delta' }>): void {
  const known = observed.calls[part.index];
  if (known) {
    known.argumentsText += part.argumentsText;
    return;
  }
  if (!part.callId || !part.name) observed.breaches.push('a tool call began without id or name');
  if (part.index !== observed.calls.length) observed.breaches.push(`tool call ${part.index} out of turn`);
  if (observed.calls.some((call) => call?.callId === part.callId))
    observed.breaches.push('two calls with one id');
  observed.calls[part.index] = {
    callId: part.callId ?? '',
    name: part.name ?? '',
    argumentsText: part.argumentsText,
  };
}
