// Owns how a request becomes the body of an Ollama chat call.
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts';
import type {
  Message,
  Parameters,
  ProviderRequest,
  ReasoningEffort,
  ResponseFormat,
} from '../contract/completions.ts';
import { argumentsObject } from '../shared/assistant-blocks.ts';
import { joinedText } from '../shared/joined-text.ts';
import { type OllamaQuirks, ollamaSettings, quirksOf, THINK_LEVELS } from './quirks.ts';

export function encodeRequest(request: ProviderRequest): JsonObject {
  const { target, model, messages, parameters, tools, toolChoice, responseFormat } = request;
  const { numCtx, keepAlive } = ollamaSettings(target);
  const options = { ...encodeParameters(parameters), ...(numCtx === undefined ? {} : { num_ctx: numCtx }) };
  // Ollama has no tool choice: if no tool may be called, none is offered.
  const offered = toolChoice?.type === 'none' ? [] : tools;
  return {
    model: model.key,
    messages: messages.map((message) => encodeMessage(message, nameOfCall(messages, message))),
    ...(offered.length > 0
      ? {
          tools: offered.map(({ name, description, parameters: schema }) => ({
            type: 'function',
            function: { name, ...(description === undefined ? {} : { description }), parameters: schema },
          })),
        }
      : {}),
    ...encodeResponseFormat(responseFormat),
    ...(model.reasoning ? encodeThinking(parameters.reasoningEffort, quirksOf(target)) : {}),
    ...(Object.keys(options).length > 0 ? { options } : {}),
    ...(keepAlive === undefined ? {} : { keep_alive: keepAlive }),
    stream: true,
  };
}

function encodeMessage(
  { role, parts, toolCalls, toolCallId, continuation }: Message,
  toolName: string,
): JsonObject {
  const images = parts.flatMap((part) =>
    part.type === 'image' && 'data' in part.image ? [part.image.data] : [],
  );
  const thinking = isJsonObject(continuation) ? continuation.thinking : undefined;
  return {
    role,
    content: joinedText(parts),
    ...(images.length > 0 ? { images } : {}),
    ...(typeof thinking === 'string' && role === 'assistant' ? { thinking } : {}),
    ...(toolCalls.length > 0
      ? {
          tool_calls: toolCalls.map((call, index) => ({
            id: call.callId,
            function: { index, name: call.name, arguments: argumentsObject(call) },
          })),
        }
      : {}),
    // Older servers pair a result with its call by the tool's name, newer ones by the id.
    ...(role === 'tool' && toolCallId !== undefined ? { tool_name: toolName, tool_call_id: toolCallId } : {}),
  };
}

function nameOfCall(messages: readonly Message[], { toolCallId }: Message): string {
  if (toolCallId === undefined) return '';
  const calls = messages.flatMap(({ toolCalls }) => toolCalls);
  return calls.findLast(({ callId }) => callId === toolCallId)?.name ?? toolCallId;
}

function encodeParameters(parameters: Parameters): JsonObject {
  const { maxTokens, temperature, topP, topK, stop, seed } = parameters;
  const { presencePenalty, frequencyPenalty, repetitionPenalty } = parameters;
  return {
    ...(maxTokens === undefined ? {} : { num_predict: maxTokens }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { top_p: topP }),
    ...(topK === undefined ? {} : { top_k: topK }),
    ...(stop && stop.length > 0 ? { stop } : {}),
    ...(seed === undefined ? {} : { seed }),
    ...(presencePenalty === undefined ? {} : { presence_penalty: presencePenalty }),
    ...(frequencyPenalty === undefined ? {} : { frequency_penalty: frequencyPenalty }),
    ...(repetitionPenalty === undefined ? {} : { repeat_penalty: repetitionPenalty }),
  };
}

function encodeResponseFormat(format: ResponseFormat | undefined): JsonObject {
  if (!format || format.type === 'text') return {};
  return { format: format.type === 'json' ? 'json' : format.schema };
}

function encodeThinking(effort: ReasoningEffort | undefined, quirks: OllamaQuirks): JsonObject {
  if (effort === undefined) return {};
  if (effort === 'none') return quirks.thinkOff ? { think: false } : {};
  return { think: thinkOf(effort, quirks) };
}

/** The level of that name, else the next higher one that the model knows, else its highest; only `true` if it knows no levels. */
function thinkOf(effort: Exclude<ReasoningEffort, 'none'>, { thinkLevels }: OllamaQuirks): JsonValue {
  const wanted = effort === 'minimal' ? 0 : THINK_LEVELS.indexOf(effort);
  const known = THINK_LEVELS.filter((level) => thinkLevels.includes(level));
  return known.find((level) => THINK_LEVELS.indexOf(level) >= wanted) ?? known.at(-1) ?? true;
}
