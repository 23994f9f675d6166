// Owns how a request becomes the body of a Gemini call.
import type { JsonObject } from '../../kernel/json.ts';
import type {
  Parameters,
  ProviderRequest,
  ResponseFormat,
  Tool,
  ToolChoice,
} from '../contract/completions.ts';
import { encodeContents, encodeSystem } from './encode-contents.ts';
import { imageDetailOf } from './encode-media.ts';
import { encodeThinking } from './encode-thinking.ts';
import { type GeminiQuirks, quirksOf } from './quirks.ts';

/** More sequences are refused: https://ai.google.dev/api/generate-content#generationconfig */
export const MAX_STOP_SEQUENCES = 5;

export function encodeRequest(request: ProviderRequest): JsonObject {
  const quirks = quirksOf(request.target, request.model.key);
  const generationConfig = encodeGenerationConfig(request, quirks);
  return {
    ...encodeSystem(request.messages),
    contents: encodeContents(request.messages, quirks),
    ...(request.tools.length > 0 ? { tools: [{ functionDeclarations: request.tools.map(encodeTool) }] } : {}),
    ...encodeToolChoice(request.tools, request.toolChoice),
    ...(Object.keys(generationConfig).length > 0 ? { generationConfig } : {}),
  };
}

/** True if JSON output has to be left out, because this model refuses it together with function declarations. */
export function isFormatRefused({ tools, responseFormat }: ProviderRequest, quirks: GeminiQuirks): boolean {
  return (
    !quirks.toolsWithJson &&
    tools.length > 0 &&
    responseFormat !== undefined &&
    responseFormat.type !== 'text'
  );
}

function encodeGenerationConfig(request: ProviderRequest, quirks: GeminiQuirks): JsonObject {
  const thinkingConfig = encodeThinking(request, quirks);
  const detail = imageDetailOf(request.messages);
  return {
    ...encodeParameters(request.parameters),
    ...(isFormatRefused(request, quirks) ? {} : encodeResponseFormat(request.responseFormat)),
    ...(thinkingConfig ? { thinkingConfig } : {}),
    ...(detail === 'low' || detail === 'high'
      ? { mediaResolution: `MEDIA_RESOLUTION_${detail.toUpperCase()}` }
      : {}),
  };
}

function encodeParameters(parameters: Parameters): JsonObject {
  const { maxTokens, temperature, topP, topK, stop, seed, presencePenalty, frequencyPenalty } = parameters;
  return {
    ...(maxTokens === undefined ? {} : { maxOutputTokens: maxTokens }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { topP }),
    ...(topK === undefined ? {} : { topK }),
    ...(stop && stop.length > 0 && stop.length <= MAX_STOP_SEQUENCES ? { stopSequences: stop } : {}),
    ...(seed === undefined ? {} : { seed }),
    ...(presencePenalty === undefined ? {} : { presencePenalty }),
    ...(frequencyPenalty === undefined ? {} : { frequencyPenalty }),
  };
}

function encodeResponseFormat(format: ResponseFormat | undefined): JsonObject {
  if (!format || format.type === 'text') return {};
  return {
    responseMimeType: 'application/json',
    ...(format.type === 'json-schema' ? { responseJsonSchema: format.schema } : {}),
  };
}

function encodeTool({ name, description, parameters }: Tool): JsonObject {
  return {
    name,
    ...(description === undefined ? {} : { description }),
    ...(takesNothing(parameters) ? {} : { parametersJsonSchema: parameters }),
  };
}

/** True for a function without parameters, which is declared to Gemini without a schema. */
function takesNothing({ type, properties, ...rest }: JsonObject): boolean {
  const empty = typeof properties === 'object' && properties !== null && Object.keys(properties).length === 0;
  return (
    Object.keys(rest).length === 0 &&
    (type === undefined || (type === 'object' && (properties === undefined || empty)))
  );
}

/** VALIDATED holds calls to their schemas without forcing one; ANY includes that. */
function encodeToolChoice(tools: readonly Tool[], choice: ToolChoice | undefined): JsonObject {
  if (tools.length === 0) return {};
  const config = (mode: string, names?: string[]) => ({
    toolConfig: { functionCallingConfig: { mode, ...(names ? { allowedFunctionNames: names } : {}) } },
  });
  switch (choice?.type) {
    case 'none':
      return config('NONE');
    case 'required':
      return config('ANY');
    case 'tool':
      return config('ANY', [choice.name]);
    default:
      if (tools.some((tool) => tool.strict)) return config('VALIDATED');
      return choice ? config('AUTO') : {};
  }
}
