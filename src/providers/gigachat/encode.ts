// Owns the way from a ProviderRequest to the body of GigaChat's `POST /chat/completions` (API v1).
import { z } from 'zod';
import { ProviderError } from '../../kernel/errors.ts';
import { isJsonObject, type JsonObject, parseJson } from '../../kernel/json.ts';
import type { Message, MessagePart, ProviderRequest, ToolCall } from '../contract/completions.ts';
import { joinedText, joinedTexts } from '../shared/joined-text.ts';
import { withProviderOptions } from '../shared/provider-options.ts';
import { fitTools, wireFunctionName } from './functions.ts';
import { OPTION_RULES } from './option-rules.ts';
import { quirksOf } from './quirks.ts';
import type { WireMessage } from './wire.ts';

/** Data that must be sent back with an assistant message that this protocol gave. */
export const continuationSchema = z.object({
  functionsStateId: z.string().optional(),
  reasoning: z.string().optional(),
});

export type Continuation = z.output<typeof continuationSchema>;

/** `fileIds`: the images that have been uploaded for this request. */
export function encodeRequest(request: ProviderRequest, fileIds: ReadonlyMap<MessagePart, string>): string {
  const { functions, functionCall } = fitTools(request);
  const body = {
    model: request.model.key,
    messages: encodeMessages(request.messages, fileIds),
    stream: true,
    ...encodeParameters(request),
    ...(functions.length > 0 ? { functions, function_call: functionCall } : {}),
    ...encodeFormat(request),
  };
  return JSON.stringify(
    withProviderOptions(body as unknown as JsonObject, request.providerOptions, OPTION_RULES),
  );
}

function encodeParameters({ parameters, target }: ProviderRequest): JsonObject {
  const { maxTokens, temperature, topP, repetitionPenalty, reasoningEffort } = parameters;
  const effort = reasoningEffort && quirksOf(target).reasoningEfforts[reasoningEffort];
  return {
    ...(maxTokens === undefined ? {} : { max_tokens: maxTokens }),
    // GigaChat refuses a temperature of 0; a `top_p` of 0 means the same.
    ...(temperature === 0 ? { top_p: 0 } : topP === undefined ? {} : { top_p: topP }),
    ...(temperature === undefined || temperature === 0 ? {} : { temperature }),
    ...(repetitionPenalty === undefined ? {} : { repetition_penalty: repetitionPenalty }),
    ...(effort === undefined ? {} : { reasoning_effort: effort }),
  };
}

/** The schema stands beside the type, not under `json_schema`. */
function encodeFormat({ responseFormat }: ProviderRequest): JsonObject {
  if (responseFormat?.type !== 'json-schema') return {};
  const { schema, strict } = responseFormat;
  return { response_format: { type: 'json_schema', schema, ...(strict === undefined ? {} : { strict }) } };
}

/** GigaChat requires exactly one system message, at the beginning, and every call to be followed by its result. */
function encodeMessages(
  messages: readonly Message[],
  fileIds: ReadonlyMap<MessagePart, string>,
): WireMessage[] {
  const systems = messages.filter(({ role }) => role === 'system').map(textOf);
  const wire: WireMessage[] = systems.length > 0 ? [{ role: 'system', content: joinedTexts(systems) }] : [];
  for (const [index, message] of messages.entries()) {
    if (message.role === 'user') wire.push(userMessage(message, fileIds));
    if (message.role === 'assistant') wire.push(...assistantMessages(message, resultsAfter(messages, index)));
    if (message.role === 'tool' && !answersCall(message, messages.slice(0, index))) {
      throw new ProviderError(
        'PROVIDER_INVALID_REQUEST',
        `messages[${index}] answers a call that the assistant message before it did not make.`,
      );
    }
  }
  return wire;
}

/** Some vendors repeat ids in later turns, so only results up to the next assistant message are used. */
function resultsAfter(messages: readonly Message[], index: number): ReadonlyMap<string, Message> {
  const later = messages.slice(index + 1);
  const end = later.findIndex(({ role }) => role === 'assistant');
  const results = (end < 0 ? later : later.slice(0, end)).filter(({ role }) => role === 'tool');
  return new Map(results.map((message) => [message.toolCallId ?? '', message]));
}

function answersCall({ toolCallId }: Message, before: readonly Message[]): boolean {
  const caller = before.findLast(({ role }) => role === 'assistant');
  return caller?.toolCalls.some(({ callId }) => callId === toolCallId) ?? false;
}

function userMessage(message: Message, fileIds: ReadonlyMap<MessagePart, string>): WireMessage {
  const attachments = message.parts.map((part) => fileIds.get(part)).filter((id) => id !== undefined);
  return { role: 'user', content: textOf(message), ...(attachments.length > 0 ? { attachments } : {}) };
}

/** A message may hold one call only, so parallel calls of another vendor become several messages, each followed by its result. */
function assistantMessages(message: Message, results: ReadonlyMap<string, Message>): WireMessage[] {
  const kept = continuationSchema.safeParse(message.continuation).data;
  const first: WireMessage = {
    role: 'assistant',
    content: textOf(message),
    ...(kept?.functionsStateId === undefined ? {} : { functions_state_id: kept.functionsStateId }),
    ...(kept?.reasoning === undefined ? {} : { reasoning_content: kept.reasoning }),
  };
  if (message.toolCalls.length === 0) return [first];
  return message.toolCalls.flatMap((call, index): WireMessage[] => {
    const said = index === 0 ? first : ({ role: 'assistant', content: '' } as const);
    const result = results.get(call.callId);
    return [
      { ...said, function_call: functionCall(call) },
      ...(result ? [functionResult(call, result)] : []),
    ];
  });
}

function functionCall({ name, argumentsText }: ToolCall): { name: string; arguments: JsonObject } {
  const parsed = argumentsText.trim() === '' ? {} : parseJson(argumentsText);
  // Arguments that are not an object cannot be sent, so the model gets the text that it wrote in a field of an object.
  const args = isJsonObject(parsed) ? parsed : { invalid_arguments: argumentsText };
  return { name: wireFunctionName(name), arguments: args };
}

/** The content must be JSON text. */
function functionResult({ name }: ToolCall, message: Message): WireMessage {
  const text = textOf(message);
  const content = parseJson(text) === undefined ? JSON.stringify(text) : text;
  return { role: 'function', name: wireFunctionName(name), content };
}

function textOf(message: Message): string {
  return joinedText(message.parts);
}
