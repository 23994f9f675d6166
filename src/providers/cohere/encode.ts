// Owns how a request becomes the body of a Cohere chat call.
import type { JsonObject } from '../../kernel/json.ts';
import type {
  Message,
  MessagePart,
  Parameters,
  ProviderRequest,
  ReasoningEffort,
  ResponseFormat,
  Tool,
  ToolChoice,
} from '../contract/completions.ts';
import { joinedText } from '../shared/joined-text.ts';
import { readContinuation } from './continuation.ts';
import { isFormatRefused, MAX_STOP_SEQUENCES } from './unsupported.ts';

/** Cohere grades thinking by tokens only; for the higher efforts the model decides itself. */
const THINKING_BUDGETS: Readonly<Partial<Record<ReasoningEffort, number>>> = {
  minimal: 1024,
  low: 4096,
  medium: 12_288,
};

export function encodeRequest(request: ProviderRequest): JsonObject {
  const { model, parameters, responseFormat } = request;
  return {
    model: model.key,
    messages: request.messages.map(encodeMessage),
    ...encodeParameters(parameters),
    ...encodeTools(request.tools, request.toolChoice),
    ...(responseFormat && !isFormatRefused(request) ? encodeResponseFormat(responseFormat) : {}),
    ...(model.reasoning ? encodeThinking(parameters) : {}),
    stream: true,
  };
}

function encodeMessage(message: Message): JsonObject {
  switch (message.role) {
    case 'assistant':
      return encodeAnswer(message);
    case 'tool':
      return { role: 'tool', tool_call_id: message.toolCallId ?? '', content: joinedText(message.parts) };
    case 'system':
      return { role: 'system', content: encodeContent(message.parts.filter(({ type }) => type === 'text')) };
    case 'user':
      return { role: 'user', content: encodeContent(message.parts) };
  }
}

function encodeContent(parts: readonly MessagePart[]): string | JsonObject[] {
  const telling = parts.filter(isTelling);
  if (telling.length < 2 && telling.every(({ type }) => type === 'text')) return joinedText(telling);
  return telling.map((part): JsonObject => {
    if (part.type === 'text') return { type: 'text', text: part.text };
    const { image } = part;
    const url = 'url' in image ? image.url : `data:${image.mediaType};base64,${image.data}`;
    return { type: 'image_url', image_url: { url, ...(image.detail ? { detail: image.detail } : {}) } };
  });
}

function encodeAnswer({ parts, toolCalls, continuation }: Message): JsonObject {
  const { toolPlan, thinking } = readContinuation(continuation);
  const content: JsonObject[] = [
    ...(thinking === '' ? [] : [{ type: 'thinking', thinking }]),
    ...parts.flatMap((part) =>
      part.type === 'text' && isTelling(part) ? [{ type: 'text', text: part.text }] : [],
    ),
  ];
  return {
    role: 'assistant',
    ...(content.length > 0 ? { content } : {}),
    ...(toolPlan === '' ? {} : { tool_plan: toolPlan }),
    ...(toolCalls.length > 0
      ? {
          tool_calls: toolCalls.map(({ callId, name, argumentsText }) => ({
            id: callId,
            type: 'function',
            function: { name, arguments: argumentsText || '{}' },
          })),
        }
      : {}),
  };
}

function encodeParameters(parameters: Parameters): JsonObject {
  const { maxTokens, temperature, topP, topK, stop, seed, presencePenalty, frequencyPenalty } = parameters;
  return {
    ...(maxTokens === undefined ? {} : { max_tokens: maxTokens }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { p: topP }),
    ...(topK === undefined ? {} : { k: topK }),
    ...(stop && stop.length > 0 && stop.length <= MAX_STOP_SEQUENCES ? { stop_sequences: stop } : {}),
    ...(seed === undefined ? {} : { seed }),
    ...(presencePenalty === undefined ? {} : { presence_penalty: presencePenalty }),
    ...(frequencyPenalty === undefined ? {} : { frequency_penalty: frequencyPenalty }),
  };
}

/** Cohere cannot force a named tool, only some tool; offering the named one alone has the same effect. */
function encodeTools(all: readonly Tool[], choice: ToolChoice | undefined): JsonObject {
  const tools = choice?.type === 'tool' ? all.filter(({ name }) => name === choice.name) : all;
  if (tools.length === 0) return {};
  const toolChoice =
    choice?.type === 'none'
      ? 'NONE'
      : choice?.type === 'required' || choice?.type === 'tool'
        ? 'REQUIRED'
        : undefined;
  return {
    tools: tools.map(({ name, description, parameters }) => ({
      type: 'function',
      function: { name, ...(description === undefined ? {} : { description }), parameters },
    })),
    ...(toolChoice ? { tool_choice: toolChoice } : {}),
    ...(tools.every(({ strict }) => strict) ? { strict_tools: true } : {}),
  };
}

function encodeResponseFormat(format: ResponseFormat): JsonObject {
  switch (format.type) {
    case 'text':
      return {};
    case 'json':
      return { response_format: { type: 'json_object' } };
    case 'json-schema':
      return { response_format: { type: 'json_object', json_schema: format.schema } };
  }
}

function encodeThinking({ reasoningEffort: effort, reasoningTokens: tokens }: Parameters): JsonObject {
  if (effort === undefined && tokens === undefined) return {};
  if (effort === 'none' || tokens === 0) return { thinking: { type: 'disabled' } };
  const budget = tokens ?? (effort === undefined ? undefined : THINKING_BUDGETS[effort]);
  return { thinking: { type: 'enabled', ...(budget === undefined ? {} : { token_budget: budget }) } };
}

function isTelling(part: MessagePart): boolean {
  return part.type !== 'text' || part.text !== '';
}
