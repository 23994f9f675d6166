// Owns the body of the request: a completion request under the protocol's own names, changed by the quirks.
import { createHash } from 'node:crypto';
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts';
import type {
  ImageSource,
  Message,
  MessagePart,
  Parameters,
  ProviderRequest,
  ResponseFormat,
  Tool,
  ToolCall,
  ToolChoice,
} from '../contract/completions.ts';
import { joinedText } from '../shared/joined-text.ts';
import { withProviderOptions } from '../shared/provider-options.ts';
import { OPTION_RULES } from './option-rules.ts';
import type { ChatQuirks } from './quirks.ts';
import { inStrictTurns } from './strict-turns.ts';

type Body = Record<string, JsonValue | undefined>;

/** The JSON text to post. */
export function encodeRequest(request: ProviderRequest, quirks: ChatQuirks, streamed = true): string {
  const messages = quirks.strictTurns ? inStrictTurns(request.messages) : request.messages;
  const body: Body = {
    model: request.model.key,
    messages: messages.map((message) => encodeMessage(message, quirks, request.model.reasoning)),
    stream: streamed,
    stream_options: streamed && quirks.streamOptions ? { include_usage: true } : undefined,
    ...encodeTools(request, quirks),
    response_format: encodeResponseFormat(request.responseFormat, quirks),
    ...encodeParameters(request.parameters, quirks),
    ...encodeReasoning(request.parameters, quirks),
  };
  return JSON.stringify(withProviderOptions(body, request.providerOptions, OPTION_RULES));
}

function encodeMessage(message: Message, quirks: ChatQuirks, reasoning: boolean): JsonObject {
  switch (message.role) {
    case 'system':
      return { role: quirks.systemRole, content: encodeContent(message.parts, quirks) };
    case 'user':
      return { role: 'user', content: encodeUserContent(message.parts, quirks) };
    case 'tool':
      return {
        role: 'tool',
        tool_call_id: encodeCallId(message.toolCallId ?? '', quirks),
        content: encodeContent(message.parts, quirks),
      };
    case 'assistant':
      return encodeAssistant(message, quirks, reasoning);
  }
}

function encodeAssistant(message: Message, quirks: ChatQuirks, reasoning: boolean): JsonObject {
  const { parts, toolCalls } = message;
  const called = toolCalls.length > 0;
  const { thinking, ...echoed } = echoedReasoning(message, quirks);
  const content = parts.length === 0 && called ? null : encodeContent(parts, quirks);
  return {
    role: 'assistant',
    content: thinking === undefined ? content : [thinking, ...parts.map((part) => encodePart(part, quirks))],
    ...(called ? { tool_calls: toolCalls.map((call) => encodeToolCall(call, quirks)) } : {}),
    ...(reasoning && called && thinking === undefined ? padded(echoed, quirks) : echoed),
  };
}

function encodeToolCall(call: ToolCall, quirks: ChatQuirks): JsonObject {
  return {
    id: encodeCallId(call.callId, quirks),
    type: 'function',
    function: { name: call.name, arguments: call.argumentsText || '{}' },
  };
}

/** The fields of a continuation that this protocol made; none for a continuation of another protocol. */
function echoedReasoning({ continuation, toolCalls }: Message, { echoReasoning }: ChatQuirks): JsonObject {
  if (echoReasoning === 'never' || !isJsonObject(continuation)) return {};
  if (echoReasoning === 'with-tool-calls' && toolCalls.length === 0) return {};
  const { reasoning_content, reasoning, reasoning_details, thinking } = continuation;
  return {
    ...(typeof reasoning_content === 'string' ? { reasoning_content } : {}),
    ...(typeof reasoning === 'string' ? { reasoning } : {}),
    ...(Array.isArray(reasoning_details) ? { reasoning_details } : {}),
    // Of Mistral: no field of the message, but the first chunk of its content.
    ...(typeof thinking === 'string' ? { thinking: thinkingChunk(thinking) } : {}),
  };
}

function thinkingChunk(text: string): JsonObject {
  return { type: 'thinking', thinking: [{ type: 'text', text }] };
}

/** A caller need not keep continuations, and a message may stem from another model: neither must end in a refusal. */
function padded(echoed: JsonObject, { reasoningPad }: ChatQuirks): JsonObject {
  if (reasoningPad === undefined || Object.keys(echoed).length > 0) return echoed;
  return { reasoning_content: reasoningPad };
}

/** Text alone is sent as a string, which every server of the family reads. */
function encodeContent(parts: readonly MessagePart[], quirks: ChatQuirks): JsonValue {
  const plain = parts.every((part) => part.type === 'text' && !(quirks.cacheControl && part.cacheHint));
  return plain ? joinedText(parts) : parts.map((part) => encodePart(part, quirks));
}

/**
 * Lists are read by every server of the family in the user's messages; in the others, many know strings only.
 * The strict templates read no lists of texts at all.
 */
function encodeUserContent(parts: readonly MessagePart[], quirks: ChatQuirks): JsonValue {
  const telling = parts.filter((part) => part.type !== 'text' || part.text !== '');
  const plain = quirks.strictTurns && telling.every(({ type }) => type === 'text');
  return telling.length < 2 || plain
    ? encodeContent(telling, quirks)
    : telling.map((part) => encodePart(part, quirks));
}

function encodePart(part: MessagePart, quirks: ChatQuirks): JsonObject {
  const cache: JsonObject =
    quirks.cacheControl && part.cacheHint ? { cache_control: { type: 'ephemeral' } } : {};
  if (part.type === 'text') return { type: 'text', text: part.text, ...cache };
  return { type: 'image_url', image_url: encodeImage(part.image, quirks), ...cache };
}

function encodeImage(image: ImageSource, quirks: ChatQuirks): JsonValue {
  const url = 'url' in image ? image.url : `data:${image.mediaType};base64,${image.data}`;
  if (quirks.imageUrlForm === 'string') return url;
  return image.detail === undefined ? { url } : { url, detail: image.detail };
}

const NINE_ALPHANUMERIC = /^[A-Za-z0-9]{9}$/;

/** The same id gives the same nine characters in the call and in its result. */
function encodeCallId(callId: string, { toolCallIds }: ChatQuirks): string {
  if (toolCallIds === 'any' || NINE_ALPHANUMERIC.test(callId)) return callId;
  return createHash('sha256').update(callId).digest('hex').slice(0, 9);
}

function encodeTools({ tools, toolChoice, parameters }: ProviderRequest, quirks: ChatQuirks): Body {
  if (tools.length === 0) return {};
  return {
    tools: tools.map(encodeTool),
    tool_choice: toolChoice && encodeToolChoice(toolChoice, quirks),
    // OpenAI refuses it in a request without tools.
    parallel_tool_calls: parameters.parallelToolCalls,
  };
}

function encodeTool(tool: Tool): JsonObject {
  return {
    type: 'function',
    function: {
      name: tool.name,
      ...(tool.description === undefined ? {} : { description: tool.description }),
      parameters: tool.parameters,
      ...(tool.strict === undefined ? {} : { strict: tool.strict }),
    },
  };
}

function encodeToolChoice(choice: ToolChoice, quirks: ChatQuirks): JsonValue {
  if (choice.type === 'tool') return { type: 'function', function: { name: choice.name } };
  return choice.type === 'required' ? quirks.requiredToolChoice : choice.type;
}

function encodeResponseFormat(format: ResponseFormat | undefined, quirks: ChatQuirks): JsonValue | undefined {
  if (format === undefined || format.type === 'text') return undefined;
  if (format.type === 'json') return { type: 'json_object' };
  const { name, description, schema, strict } = format;
  const described = {
    name,
    ...(description === undefined ? {} : { description }),
    schema,
    ...(strict === undefined ? {} : { strict }),
  };
  return quirks.jsonSchemaForm === 'inline'
    ? { type: 'json_schema', ...described }
    : { type: 'json_schema', json_schema: described };
}

function encodeParameters(parameters: Parameters, quirks: ChatQuirks): Body {
  return {
    [quirks.maxTokensName]: parameters.maxTokens,
    temperature: parameters.temperature,
    top_p: parameters.topP,
    top_k: parameters.topK,
    stop: parameters.stop && [...parameters.stop],
    [quirks.seedName]: parameters.seed,
    presence_penalty: parameters.presencePenalty,
    frequency_penalty: parameters.frequencyPenalty,
    [quirks.repetitionPenaltyName]: parameters.repetitionPenalty,
    logit_bias: parameters.logitBias,
  };
}

function encodeReasoning({ reasoningEffort, reasoningTokens }: Parameters, quirks: ChatQuirks): Body {
  if (reasoningTokens !== undefined) return { reasoning: { max_tokens: reasoningTokens } };
  if (reasoningEffort === undefined) return {};
  const word = quirks.reasoningEfforts?.[reasoningEffort] ?? reasoningEffort;
  const thinking = { type: reasoningEffort === 'none' ? 'disabled' : 'enabled' };
  switch (quirks.reasoningStyle) {
    case 'effort':
      return { reasoning_effort: word };
    case 'object':
      return { reasoning: { effort: word } };
    case 'thinking':
      return { thinking };
    case 'thinking-and-effort':
      return reasoningEffort === 'none' ? { thinking } : { thinking, reasoning_effort: word };
  }
}
