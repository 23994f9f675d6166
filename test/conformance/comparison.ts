// Owns the comparison of what an adapter made of a body with what the plain reading says.
import { ProviderError } from '../../src/kernel/errors.ts';
import { canonicalJson } from '../../src/kernel/json.ts';
import type { Expectation, ExpectedAnswer } from './expectation.ts';
import type { ExpectedFault } from './fault.ts';
import type { Observed } from './observed.ts';
import { parsed } from './walk.ts';

/** What differs; empty if nothing does. */
export function differences(expectation: Expectation, observed: Observed, protocol: string): string[] {
  return [...observed.breaches, ...differencesOf(expectation, observed, protocol)];
}

function differencesOf(expectation: Expectation, observed: Observed, protocol: string): string[] {
  if (expectation.type === 'fault') return faultDifferences(expectation.fault, expectation.before, observed);
  if (expectation.type === 'answer') return answerDifferences(expectation.answer, observed, protocol);
  if (expectation.type === 'named') {
    if (observed.error !== undefined) return [];
    return expectation.answer
      ? answerDifferences(expectation.answer, observed, protocol)
      : ['took for an answer what is none'];
  }
  return [];
}

function answerDifferences(expected: ExpectedAnswer, observed: Observed, protocol: string): string[] {
  if (observed.error !== undefined) {
    const filtered =
      observed.error instanceof ProviderError && observed.error.code === 'PROVIDER_CONTENT_FILTERED';
    return filtered && expected.finish.includes('content-filter')
      ? []
      : [`raised ${described(observed.error)}`];
  }
  const found: string[] = [];
  if (!sameText(expected.text, observed.text))
    found.push(`text: ${shown(expected.text.join(''), observed.text)}`);
  if (!sameText(expected.reasoning, observed.reasoning)) {
    found.push(`reasoning: ${shown(expected.reasoning.join(''), observed.reasoning)}`);
  }
  found.push(...callDifferences(expected, observed));
  const reason = observed.finish?.reason;
  if (reason && !expected.finish.includes(reason))
    found.push(`finish: expected ${expected.finish.join(' or ')}, got ${reason}`);
  if (canonicalJson(expected.usage) !== canonicalJson(observed.usage)) {
    found.push(`usage: expected ${canonicalJson(expected.usage)}, got ${canonicalJson(observed.usage)}`);
  }
  return [...found, ...totalDifferences(expected, observed, protocol)];
}

/** Separate parts (messages, summaries) may be set apart by line breaks. */
function sameText(parts: readonly string[], observed: string): boolean {
  const apart = parts.filter((part) => part !== '');
  return ['', '\n', '\n\n'].some((separator) => apart.join(separator) === observed);
}

function callDifferences(expected: ExpectedAnswer, observed: Observed): string[] {
  if (expected.calls.length !== observed.calls.length) {
    return [`tool calls: expected ${expected.calls.length}, got ${observed.calls.length}`];
  }
  return expected.calls.flatMap((call, index) => {
    const made = observed.calls[index];
    const madeArguments = parsed(made?.argumentsText ?? '') ?? made?.argumentsText;
    const found: string[] = [];
    if (call.name !== made?.name)
      found.push(`tool call ${index}: name ${shown(call.name, made?.name ?? '')}`);
    if (call.id && call.id !== made?.callId)
      found.push(`tool call ${index}: id ${shown(call.id, made?.callId ?? '')}`);
    if (canonicalJson(call.arguments) !== canonicalJson(madeArguments)) {
      found.push(
        `tool call ${index}: arguments ${shown(canonicalJson(call.arguments), made?.argumentsText ?? '')}`,
      );
    }
    return found;
  });
}

/** The provider's own sum is a second witness, independent of the table of who includes what in what. */
function totalDifferences(expected: ExpectedAnswer, observed: Observed, protocol: string): string[] {
  if (expected.total === undefined || !observed.usage || protocol === 'gigachat') return [];
  const sum = Object.values(observed.usage).reduce((left, right) => left + right, 0);
  return sum === expected.total ? [] : [`usage: sums to ${sum}, the provider says ${expected.total}`];
}

function faultDifferences(expected: ExpectedFault, before: ExpectedAnswer, observed: Observed): string[] {
  const { error } = observed;
  if (!(error instanceof ProviderError)) {
    return [
      `expected ${expected.codes.join(' or ')}, got ${observed.finish ? `finish ${observed.finish.reason}` : 'nothing'}`,
    ];
  }
  const found: string[] = [];
  if (!expected.codes.includes(error.code))
    found.push(`code: expected ${expected.codes.join(' or ')}, got ${described(error)}`);
  if (
    expected.messages.length > 0 &&
    !expected.messages.some((message) => squeezed(error.message).includes(squeezed(message)))
  ) {
    found.push(`message: ${shown(expected.messages[0] ?? '', error.message)}`);
  }
  if (expected.status !== undefined && error.status !== expected.status) {
    found.push(`status: expected ${expected.status}, got ${error.status}`);
  }
  const wait = error.retryAfterMs;
  if (
    expected.retryAfterMs.length > 0 &&
    (wait === undefined || !expected.retryAfterMs.some((one) => Math.abs(one - wait) <= 1))
  ) {
    found.push(`retryAfterMs: expected ${expected.retryAfterMs.join(' or ')}, got ${wait}`);
  }
  const text = before.text.join('');
  if (!text.startsWith(observed.text)) found.push(`text before the fault: ${shown(text, observed.text)}`);
  return found;
}

function squeezed(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

function described(error: unknown): string {
  return error instanceof ProviderError ? `${error.code}: ${error.message.slice(0, 120)}` : String(error);
}

function shown(expected: string, got: string): string {
  let same = 0;
  while (same < expected.length && expected[same] === got[same]) same++;
  const from = Math.max(0, same - 15);
  const excerpt = (text: string) => JSON.stringify(text.slice(from, same + 45));
  return `differs at ${same}: expected ${excerpt(expected)} (${expected.length}), got ${excerpt(got)} (${got.length})`;
}
