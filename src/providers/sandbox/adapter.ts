// Owns the built-in provider `sandbox`: a simulated model without network, whose speed, length and faults the caller chooses.

import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { delay } from '../../kernel/async.ts';
import { type Clock, systemClock } from '../../kernel/clock.ts';
import { ProviderError, USUALLY_TRANSIENT } from '../../kernel/errors.ts';
import type { CompletionAdapter } from '../contract/adapter.ts';
import type { ProviderRequest, ProviderUsage, StreamPart } from '../contract/completions.ts';
import { faultsIn, NO_QUIRKS } from '../shared/quirks.ts';
import { planAnswer, type SandboxAnswer } from './answer.ts';
import { listSandboxModels } from './models.ts';
import { parseSandboxOptions, type SandboxFault, type SandboxOptions } from './options.ts';
import { inputTokensOf } from './tokens.ts';

export interface SandboxAdapterOptions {
  readonly clock?: Clock;
  readonly delay?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** After this many reads the adapter yields to the event loop, so that a run at full speed does not block others and notices its abort. */
const READS_PER_TURN = 256;

export function createSandboxAdapter(given: SandboxAdapterOptions = {}): CompletionAdapter {
  const pacing = { clock: given.clock ?? systemClock, delay: given.delay ?? delay };
  return {
    protocol: 'sandbox',
    simulated: true,
    completions: {
      // The sandbox sends no request, so there are no fields that options could overwrite.
      optionRules: { reserved: {}, priced: [], extended: [] },
      unsupported: () => [],
      stream: (request, { signal }) => streamAnswer(request, signal, pacing),
    },
    models: {
      list: async (_target, { signal }) => {
        signal.throwIfAborted();
        return listSandboxModels();
      },
    },
    health: { check: async (_target, { signal }) => signal.throwIfAborted() },
    faultsOfQuirks: faultsIn(NO_QUIRKS),
  };
}

async function* streamAnswer(
  request: ProviderRequest,
  signal: AbortSignal,
  pacing: Required<SandboxAdapterOptions>,
): AsyncGenerator<StreamPart[]> {
  const options = parseSandboxOptions(request.providerOptions);
  signal.throwIfAborted();
  await waitFor(options.firstTokenMs, signal, pacing);
  if (options.fail?.afterTokens === 0) throw faultOf(options.fail, 'headers');

  const answer = planAnswer(request, options);
  const pause = paceOf(options, signal, pacing);
  const interruption = interruptionOf(options);
  let read: StreamPart[] = [
    { type: 'response-start', servedModel: request.model.key, providerRequestId: `sandbox-${answer.turn}` },
  ];
  let tokens = 0;
  for (const part of contentParts(answer)) {
    if (tokens === interruption?.afterTokens) break;
    if (tokens > 0 && read.length === 0) {
      const pausing = pause(tokens);
      if (pausing) await pausing;
    }
    signal.throwIfAborted();
    read.push(part);
    tokens += 1;
    if (tokens % options.tokensPerRead !== 0) continue;
    yield read;
    read = [];
  }
  if (interruption) {
    if (read.length > 0) yield read;
    await interruption.act(signal);
    return;
  }
  yield [...read, { type: 'usage', usage: usageOf(request, answer) }, finishPart(answer)];
}

/** One part for each token, in the order reasoning, text, tool calls. */
function* contentParts(answer: SandboxAnswer): Generator<StreamPart> {
  for (const text of answer.reasoning) yield { type: 'reasoning-delta', text };
  for (const text of answer.text) yield { type: 'text-delta', text };
  for (const [index, { callId, name, tokens }] of answer.toolCalls.entries()) {
    for (const [place, argumentsText] of tokens.entries()) {
      yield { type: 'tool-call-delta', index, ...(place === 0 ? { callId, name } : {}), argumentsText };
    }
  }
}

function finishPart({ finishReason, toolCalls, reasoning, turn }: SandboxAnswer): StreamPart {
  const needed = toolCalls.length > 0 || reasoning.length > 0;
  return {
    type: 'finish',
    reason: finishReason,
    providerReason: finishReason,
    ...(needed ? { continuation: { sandboxTurn: turn } } : {}),
  };
}

function usageOf(request: ProviderRequest, answer: SandboxAnswer): ProviderUsage {
  const calls = answer.toolCalls.reduce((sum, call) => sum + call.tokens.length, 0);
  return {
    inputTokens: inputTokensOf(request),
    cacheReadTokens: 0,
    cacheWriteTokens: 0,
    outputTokens: answer.text.length + calls,
    reasoningTokens: answer.reasoning.length,
  };
}

interface Interruption {
  readonly afterTokens: number;
  /** Raises an error, waits for ever, or just returns. */
  act(signal: AbortSignal): Promise<void>;
}

/** The earliest interruption that the options ask for; if the answer is shorter, it comes at the answer's end. */
function interruptionOf({
  fail,
  stallAfterTokens,
  cutAfterTokens,
}: SandboxOptions): Interruption | undefined {
  const asked: Interruption[] = [];
  if (fail) {
    asked.push({ afterTokens: fail.afterTokens, act: () => Promise.reject(faultOf(fail, 'stream')) });
  }
  if (stallAfterTokens !== undefined) asked.push({ afterTokens: stallAfterTokens, act: untilAborted });
  if (cutAfterTokens !== undefined) asked.push({ afterTokens: cutAfterTokens, act: async () => {} });
  return asked.sort((a, b) => a.afterTokens - b.afterTokens)[0];
}

function faultOf(fail: SandboxFault, phase: 'headers' | 'stream'): ProviderError {
  const transient = fail.transient ?? USUALLY_TRANSIENT[fail.code];
  return new ProviderError(fail.code, fail.message ?? `The sandbox was asked to fail with ${fail.code}.`, {
    phase,
    transient,
    providerCode: 'sandbox_fault',
    ...(fail.status === undefined ? {} : { status: fail.status }),
    ...(fail.retryAfterMs === undefined ? {} : { retryAfterMs: fail.retryAfterMs }),
  });
}

function paceOf(
  { tokensPerSecond }: SandboxOptions,
  signal: AbortSignal,
  pacing: Required<SandboxAdapterOptions>,
): (tokens: number) => Promise<void> | undefined {
  const startedMs = pacing.clock.monotonicMs();
  let reads = 0;
  return (tokens) => {
    reads += 1;
    if (tokensPerSecond > 0) {
      const waitMs = startedMs + (tokens * 1000) / tokensPerSecond - pacing.clock.monotonicMs();
      if (waitMs >= 1) return waitFor(waitMs, signal, pacing);
    }
    return reads % READS_PER_TURN === 0 ? setImmediate() : undefined;
  };
}

async function waitFor(
  ms: number,
  signal: AbortSignal,
  pacing: Required<SandboxAdapterOptions>,
): Promise<void> {
  if (ms > 0) await pacing.delay(ms, signal);
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
  signal.throwIfAborted();
}
