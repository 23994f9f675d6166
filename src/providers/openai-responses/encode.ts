// Owns the way from a ProviderRequest to the body of `POST /responses`, stateless: nothing is stored at the provider.
import type { JsonObject, JsonValue } from '../../kernel/json.ts';
import type {
  ImageSource,
  Message,
  MessagePart,
  Parameters,
  ProviderRequest,
  ResponseFormat,
  Tool,
  ToolChoice,
} from '../contract/completions.ts';
import { joinedText, joinedTexts } from '../shared/joined-text.ts';
import { withProviderOptions } from '../shared/provider-options.ts';
import { withStrictSchemas } from '../shared/strict-schemas.ts';
import { assistantItems } from './continuation.ts';
import { OPTION_RULES } from './option-rules.ts';
import { quirksOf, type ResponsesQuirks } from './quirks.ts';
import type { InputItem } from './wire.ts';

const NO_SUCH_PARAMETERS = [
  'topK',
  'stop',
  'seed',
  'presencePenalty',
  'frequencyPenalty',
  'repetitionPenalty',
  'logitBias',
  'reasoningTokens',
] as const satisfies readonly (keyof Parameters)[];

export function encodeRequest(asked: ProviderRequest, streamed = true): string {
  const { request } = withStrictSchemas(asked);
  const quirks = quirksOf(request.target);
  const { instructions, rest } = splitInstructions(request.messages);
  const body = defined({
    model: request.model.key,
    instructions,
    input: rest.flatMap(inputItems),
    stream: streamed,
    store: false,
    ...encodeParameters(request, quirks),
    ...encodeTools(request, quirks),
    ...encodeReasoning(request, quirks),
    text: encodeFormat(request.responseFormat),
  });
  return JSON.stringify(withProviderOptions(body, request.providerOptions, OPTION_RULES));
}

/** The system messages at the beginning become `instructions`; a later one keeps its place as an item. */
function splitInstructions(messages: readonly Message[]): {
  instructions?: string;
  rest: readonly Message[];
} {
  const end = messages.findIndex(
    ({ role, parts }) => role !== 'system' || parts.some(({ type }) => type !== 'text'),
  );
  // A request needs at least one input item.
  const count = end < 0 ? messages.length - 1 : end;
  if (count <= 0) return { rest: messages };
  const instructions = joinedTexts(messages.slice(0, count).map(({ parts }) => joinedText(parts)));
  return { instructions, rest: messages.slice(count) };
}

function inputItems(message: Message): InputItem[] {
  switch (message.role) {
    case 'assistant':
      return assistantItems(message);
    case 'tool':
      return [
        { type: 'function_call_output', call_id: message.toolCallId ?? '', output: toolOutput(message) },
      ];
    default:
      return [{ type: 'message', role: message.role, content: message.parts.map(inputPart) }];
  }
}

function toolOutput(message: Message): JsonValue {
  const alone = message.parts.length < 2 && message.parts.every(({ type }) => type === 'text');
  return alone ? joinedText(message.parts) : message.parts.map(inputPart);
}

function inputPart(part: MessagePart): JsonObject {
  if (part.type === 'text') return { type: 'input_text', text: part.text };
  return { type: 'input_image', image_url: urlOf(part.image), detail: part.image.detail ?? 'auto' };
}

function urlOf(image: ImageSource): string {
  return 'url' in image ? image.url : `data:${image.mediaType};base64,${image.data}`;
}

function encodeParameters({ parameters, model }: ProviderRequest, quirks: ResponsesQuirks): JsonObject {
  const lacks = lackedBy(quirks, model.reasoning);
  return defined({
    max_output_tokens: lacks.has('maxTokens') ? undefined : parameters.maxTokens,
    temperature: lacks.has('temperature') ? undefined : parameters.temperature,
    top_p: lacks.has('topP') ? undefined : parameters.topP,
  });
}

export function lackedBy(quirks: ResponsesQuirks, reasoning: boolean): ReadonlySet<string> {
  return new Set([...NO_SUCH_PARAMETERS, ...quirks.lacks, ...(reasoning ? quirks.lacksWhenReasoning : [])]);
}

function encodeTools(
  { tools, toolChoice, parameters, model }: ProviderRequest,
  quirks: ResponsesQuirks,
): JsonObject {
  if (tools.length === 0) return {};
  const parallel = lackedBy(quirks, model.reasoning).has('parallelToolCalls');
  return defined({
    tools: tools.map(encodeTool),
    tool_choice: toolChoice && encodeToolChoice(toolChoice),
    parallel_tool_calls: parallel ? undefined : parameters.parallelToolCalls,
  });
}

function encodeTool(tool: Tool): JsonObject {
  return defined({
    type: 'function',
    name: tool.name,
    description: tool.description,
    parameters: tool.parameters,
    // If it were left out, this API would take it as true and refuse most schemas.
    strict: tool.strict ?? false,
  });
}

function encodeToolChoice(choice: ToolChoice): JsonValue {
  return choice.type === 'tool' ? { type: 'function', name: choice.name } : choice.type;
}

function encodeReasoning(request: ProviderRequest, quirks: ResponsesQuirks): JsonObject {
  const { model } = request;
  const effort = effortOf(request, quirks);
  if (!model.reasoning && effort === undefined) return {};
  const silent = effort === 'none' || quirks.reasoningSummary === 'none';
  const reasoning = defined({ effort, summary: silent ? undefined : quirks.reasoningSummary });
  return {
    ...(Object.keys(reasoning).length > 0 ? { reasoning } : {}),
    // Models that do not reason refuse requests for it.
    ...(model.reasoning && quirks.encryptedReasoning ? { include: ['reasoning.encrypted_content'] } : {}),
  };
}

/** The server's word for the requested effort; `undefined` if none is requested. */
export function effortOf(
  { model, parameters }: ProviderRequest,
  quirks: ResponsesQuirks,
): string | undefined {
  const { reasoningEffort } = parameters;
  if (reasoningEffort === undefined || lackedBy(quirks, model.reasoning).has('reasoningEffort'))
    return undefined;
  return quirks.reasoningEfforts ? quirks.reasoningEfforts[reasoningEffort] : reasoningEffort;
}

function encodeFormat(format: ResponseFormat | undefined): JsonObject | undefined {
  if (format === undefined || format.type === 'text') return undefined;
  if (format.type === 'json') return { format: { type: 'json_object' } };
  const { name, description, schema, strict = false } = format;
  return { format: defined({ type: 'json_schema', name, description, schema, strict }) };
}

function defined(fields: Record<string, JsonValue | undefined>): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as JsonObject;
}
