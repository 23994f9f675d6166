// Owns the sandbox's answer to a request: a plan of reasoning, text and tool calls, the same for equal requests.
import { createHash } from 'node:crypto';
import { canonicalJson } from '../../kernel/json.ts';
import type { FinishReason, Message, ProviderRequest, ReasoningEffort } from '../contract/completions.ts';
import { sentenceOfImage } from './image-facts.ts';
import { lastUserText } from './message-text.ts';
import { valuesIn } from './message-values.ts';
import { traitsOf } from './models.ts';
import { argumentsTextOf, type SandboxOptions } from './options.ts';
import { exampleOf } from './schema-example.ts';
import { tokensOf } from './tokens.ts';
import { chosenTools } from './tool-choice.ts';

export interface SandboxAnswer {
  readonly reasoning: readonly string[];
  readonly text: readonly string[];
  readonly toolCalls: readonly SandboxToolCall[];
  readonly finishReason: FinishReason;
  /** A text that differs between two turns of a conversation. */
  readonly turn: string;
}

export interface SandboxToolCall {
  readonly callId: string;
  readonly name: string;
  readonly tokens: readonly string[];
}

const WHO = "Modelgraph's sandbox, a simulated model, not a language model";
const ECHO_LENGTH = 60;
const MAX_IMAGES_TOLD = 8;
/** What it says after the echo, a sentence at a time; the seed selects the first. */
const SENTENCES = [
  'The gateway chose this instance from its plan, passed on each token as it came, and recorded what the answer cost.',
  'You may leave this stream and come back: the run goes on, and its events are sent again from where you left.',
  'Add the credentials of a real provider, and the same request is answered by a real model.',
  'If an instance fails, the next one of the plan takes over, and an event tells you so.',
];

const REASONING_TOKENS: Readonly<Record<ReasoningEffort, number>> = {
  none: 0,
  minimal: 8,
  low: 16,
  medium: 32,
  high: 64,
  max: 128,
};

export function planAnswer(request: ProviderRequest, options: SandboxOptions): SandboxAnswer {
  const turn = turnOf(request);
  const calls = plannedCalls(request, options).map((call, index) => ({
    callId: `call_${turn}${index}`,
    name: call.name,
    tokens: call.argumentsText === '' ? [''] : tokensOf(call.argumentsText),
  }));
  const seed = request.parameters.seed ?? 0;
  const reasoning = fill(`Simulated reasoning of ${WHO}.`, seed, reasoningTokensOf(request, options));
  const text = cutAtStop(plannedText(request, options, calls.length > 0, seed), request.parameters.stop);
  const answer = {
    reasoning,
    text,
    toolCalls: calls,
    finishReason: calls.length > 0 ? ('tool-calls' as const) : ('stop' as const),
    turn,
  };
  const limited = withinLimit(answer, request.parameters.maxTokens);
  return options.finishReason ? { ...limited, finishReason: options.finishReason } : limited;
}

function plannedCalls(
  request: ProviderRequest,
  options: SandboxOptions,
): { name: string; argumentsText: string }[] {
  if (options.toolCalls) {
    return options.toolCalls.map((call) => ({
      name: call.name,
      argumentsText: argumentsTextOf(call.arguments),
    }));
  }
  return chosenTools(request, options).map(({ name, parameters }) => {
    const made = exampleOf({ type: 'object', ...parameters }, valuesIn(lastUserText(request)));
    return { name, argumentsText: JSON.stringify(made) };
  });
}

function plannedText(
  request: ProviderRequest,
  options: SandboxOptions,
  callsTools: boolean,
  seed: number,
): readonly string[] {
  if (options.text !== undefined) return tokensOf(options.text);
  if (callsTools) return [];
  const { responseFormat, messages } = request;
  if (responseFormat?.type === 'json-schema')
    return tokensOf(JSON.stringify(exampleOf(responseFormat.schema)));
  const heard = startOf(messages.findLast(({ role }) => role === 'user'));
  if (responseFormat?.type === 'json') return tokensOf(JSON.stringify({ from: WHO, heard }));
  const reply = messages.at(-1)?.role === 'tool' ? replyToTools(messages) : replyToUser(messages, heard);
  return fill(`This is ${WHO}. ${reply}`, seed, options.tokens);
}

/** Quotes what the tools answered since the model's last turn. */
function replyToTools(messages: readonly Message[]): string {
  const before = messages.findLastIndex(({ role }) => role !== 'tool');
  const answers = messages.slice(before + 1).map((message) => `"${startOf(message)}"`);
  return `The ${answers.length > 1 ? 'tools' : 'tool'} answered: ${answers.join(' and ')}.`;
}

function replyToUser(messages: readonly Message[], heard: string): string {
  const message = messages.findLast(({ role }) => role === 'user');
  if (!message) return 'You sent no user message.';
  const images = message.parts.filter((part) => part.type === 'image').slice(0, MAX_IMAGES_TOLD);
  const told = images.map(({ image }, place) =>
    sentenceOfImage(images.length > 1 ? `Image ${place + 1}` : 'The image', image),
  );
  return [`You wrote: "${heard}".`, ...told].join(' ');
}

function reasoningTokensOf(request: ProviderRequest, options: SandboxOptions): number {
  if (options.reasoningTokens !== undefined) return options.reasoningTokens;
  const { reasoningEffort, reasoningTokens = Number.POSITIVE_INFINITY } = request.parameters;
  const wanted = reasoningEffort
    ? REASONING_TOKENS[reasoningEffort]
    : traitsOf(request.model.key).reasoningTokens;
  return Math.min(wanted, reasoningTokens);
}

function startOf(message: Message | undefined): string {
  const text = (message?.parts ?? []).map((part) => (part.type === 'text' ? part.text : '[image]')).join(' ');
  const characters = [...text.slice(0, 2 * ECHO_LENGTH + 2)];
  return characters.length > ECHO_LENGTH ? `${characters.slice(0, ECHO_LENGTH).join('')}...` : text;
}

/** The beginning and one whole sentence; or exactly `count` tokens of as many sentences as that takes. */
function fill(beginning: string, seed: number, count?: number): readonly string[] {
  const tokens = count === 0 ? [] : tokensOf(beginning);
  const wanted = count ?? tokens.length + 1;
  for (let at = seed; tokens.length < wanted; at += 1) tokens.push(...tokensOf(` ${sentenceAt(at)}`));
  return count === undefined ? tokens : tokens.slice(0, count);
}

function sentenceAt(place: number): string {
  const { length } = SENTENCES;
  return SENTENCES[((place % length) + length) % length] as string;
}

function cutAtStop(tokens: readonly string[], stop: readonly string[] = []): readonly string[] {
  if (stop.length === 0) return tokens;
  const text = tokens.join('');
  const places = stop
    .filter((word) => word !== '')
    .map((word) => text.indexOf(word))
    .filter((place) => place >= 0);
  return places.length === 0 ? tokens : tokensOf(text.slice(0, Math.min(...places)));
}

function withinLimit(answer: SandboxAnswer, maxTokens = Number.POSITIVE_INFINITY): SandboxAnswer {
  let left = maxTokens;
  let cut = false;
  const take = (tokens: readonly string[]) => {
    cut ||= tokens.length > left;
    const taken = cut ? tokens.slice(0, left) : tokens;
    left -= taken.length;
    return taken;
  };
  const reasoning = take(answer.reasoning);
  const text = take(answer.text);
  const toolCalls = answer.toolCalls.map((call) => ({ ...call, tokens: take(call.tokens) }));
  if (!cut) return answer;
  return {
    ...answer,
    reasoning,
    text,
    toolCalls: toolCalls.filter(({ tokens }) => tokens.length > 0),
    finishReason: 'length',
  };
}

function turnOf({ model, messages, parameters }: ProviderRequest): string {
  const said = canonicalJson([model.key, parameters.seed, messages]);
  return createHash('sha256').update(said).digest('hex').slice(0, 16);
}
