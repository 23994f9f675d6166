// Owns how a request becomes a Messages body, and which parts of it cannot be expressed: one pass finds both, so that they always agree.
import type { JsonObject } from '../../kernel/json.ts';
import { fittedTool } from '../claude/strict-tools.ts';
import { planThinking } from '../claude/thinking.ts';
import type { Parameters, ProviderRequest, Tool, Unsupported } from '../contract/completions.ts';
import { readBlockNotes } from '../shared/assistant-blocks.ts';
import { outputToolOf } from '../shared/output-tool.ts';
import { withProviderOptions } from '../shared/provider-options.ts';
import { translateSchema } from '../shared/translate-schema.ts';
import { encodeMessages } from './encode-messages.ts';
import { OPTION_RULES } from './option-rules.ts';
import { type AnthropicQuirks, quirksOf } from './quirks.ts';

export interface EncodedRequest {
  readonly body: JsonObject;
  readonly refused: readonly Unsupported[];
  /** For the header `anthropic-beta`. */
  readonly betas: readonly string[];
  /** The tool whose arguments are the answer's text, if a schema is enforced by a forced tool. */
  readonly outputTool?: string;
}

const DEFAULT_MAX_TOKENS = 4096;
const THINKING_TYPES: ReadonlySet<string> = new Set(['thinking', 'redacted_thinking']);
const FOREIGN_PARAMETERS = [
  'seed',
  'presencePenalty',
  'frequencyPenalty',
  'repetitionPenalty',
  'logitBias',
] as const satisfies readonly (keyof Parameters)[];

export function encodeRequest(request: ProviderRequest): EncodedRequest {
  const { model, parameters, providerOptions } = request;
  const quirks = quirksOf(request.target, model.key);
  const refused: Unsupported[] = [];
  const refuse = (path: string, message: string): void => void refused.push({ path, message });

  const maxTokens = parameters.maxTokens ?? model.maxOutputTokens ?? DEFAULT_MAX_TOKENS;
  const output = outputOf(request, quirks, refuse);
  const tools = toolFields(request, quirks, output.tool, refuse);
  const plan = planThinking(request, quirks, maxTokens, thinkingConflict(request, tools.forced));
  const { system, turns, refused: ofMessages } = encodeMessages(request.messages, quirks);
  const outputConfig = { ...(plan.effort ? { effort: plan.effort } : {}), ...output.config };
  for (const name of FOREIGN_PARAMETERS) {
    if (parameters[name] !== undefined) refuse(`parameters.${name}`, 'This protocol has no such parameter.');
  }
  const body: JsonObject = {
    model: model.key,
    max_tokens: maxTokens,
    ...(system.length > 0 ? { system } : {}),
    messages: turns,
    ...samplingFields(parameters, quirks, plan.thinking?.type === 'enabled', refuse),
    ...stopField(parameters, refuse),
    ...tools.fields,
    ...(plan.thinking ? { thinking: plan.thinking } : {}),
    ...(Object.keys(outputConfig).length > 0 ? { output_config: outputConfig } : {}),
    stream: true,
  };
  return {
    body: withProviderOptions(body, providerOptions, OPTION_RULES),
    refused: [...refused, ...plan.refused, ...ofMessages],
    betas: [...quirks.betas, ...(plan.betas ?? [])],
    ...(output.tool ? { outputTool: output.tool.name } : {}),
  };
}

type Refuse = (path: string, message: string) => void;

function samplingFields(
  { temperature, topP, topK }: Parameters,
  { sampling }: AnthropicQuirks,
  thinking: boolean,
  refuse: Refuse,
): JsonObject {
  const fields: { temperature?: number; top_p?: number; top_k?: number } = {};
  const fixed = sampling === 'fixed';
  if (temperature !== undefined && temperature !== 1) {
    if (fixed) refuse('parameters.temperature', 'This model takes no temperature but 1.');
    else if (thinking) refuse('parameters.temperature', 'With reasoning, the temperature is 1.');
    else if (temperature > 1) refuse('parameters.temperature', 'The temperature is at most 1 here.');
    else fields.temperature = temperature;
  }
  if (temperature === 1 && !fixed) fields.temperature = temperature;
  if (topP !== undefined) {
    const clash = sampling === 'temperature-or-top-p' && fields.temperature !== undefined;
    if (fixed && topP < 0.99) refuse('parameters.topP', 'This model takes no topP.');
    else if (clash) refuse('parameters.topP', 'This model takes temperature or topP, but not both.');
    else if (thinking && topP < 0.95) refuse('parameters.topP', 'With reasoning, topP is at least 0.95.');
    else if (!fixed) fields.top_p = topP;
  }
  if (topK !== undefined) {
    if (fixed) refuse('parameters.topK', 'This model takes no topK.');
    else if (thinking) refuse('parameters.topK', 'With reasoning, topK cannot be set.');
    else fields.top_k = topK;
  }
  return fields;
}

function stopField({ stop = [] }: Parameters, refuse: Refuse): JsonObject {
  const usable = stop.filter((text) => text.trim() !== '');
  if (usable.length < stop.length)
    refuse('parameters.stop', 'A stop text of white space alone is not taken.');
  return usable.length > 0 ? { stop_sequences: usable } : {};
}

interface OutputPlan {
  readonly config: JsonObject;
  readonly tool?: Tool;
}

function outputOf(
  { responseFormat, tools }: ProviderRequest,
  quirks: AnthropicQuirks,
  refuse: Refuse,
): OutputPlan {
  if (!responseFormat || responseFormat.type === 'text') return { config: {} };
  if (responseFormat.type === 'json') {
    refuse('responseFormat', 'This protocol has no JSON mode without a schema.');
    return { config: {} };
  }
  if (quirks.structuredOutput === 'native') {
    const translated = translateSchema(responseFormat.schema, 'claude');
    if ('schema' in translated) return { config: { format: { type: 'json_schema', ...translated } } };
    refuse('responseFormat', `This model cannot be held to the schema: ${translated.fault}.`);
    return { config: {} };
  }
  if (quirks.structuredOutput === 'none' || !quirks.forcedToolChoice) {
    refuse('responseFormat', 'This model has no output by JSON Schema.');
    return { config: {} };
  }
  return { config: {}, tool: outputToolOf(responseFormat, tools) };
}

interface ToolFields {
  readonly fields: JsonObject;
  readonly forced: boolean;
}

function toolFields(
  { tools, toolChoice, parameters }: ProviderRequest,
  quirks: AnthropicQuirks,
  outputTool: Tool | undefined,
  refuse: Refuse,
): ToolFields {
  const offered = outputTool ? [...tools, outputTool] : tools;
  if (offered.length === 0) return { fields: {}, forced: false };
  const strictTaken = quirks.structuredOutput === 'native';
  const choice = wireChoice(toolChoice, tools.length > 0, outputTool);
  const wantsForce = choice.type === 'any' || choice.type === 'tool';
  if (wantsForce && !quirks.forcedToolChoice)
    refuse('toolChoice', 'This model cannot be made to call a tool.');
  const allowed = wantsForce && !quirks.forcedToolChoice ? { type: 'auto' } : choice;
  const serial = parameters.parallelToolCalls === false && allowed.type !== 'none';
  const chosen = serial ? { ...allowed, disable_parallel_tool_use: true } : allowed;
  const plain = chosen.type === 'auto' && !serial;
  return {
    fields: {
      tools: offered.map((tool, index) => wireTool(fittedTool(tool, strictTaken, index, refuse))),
      ...(plain ? {} : { tool_choice: chosen }),
    },
    forced: allowed.type === 'any' || allowed.type === 'tool',
  };
}

type WireChoice = { readonly type: string; readonly name?: string };

/** If a schema is enforced by a tool, the model has to end with that tool, but may call the caller's own tools before. */
function wireChoice(
  choice: ProviderRequest['toolChoice'],
  hasTools: boolean,
  outputTool: Tool | undefined,
): WireChoice {
  if (choice?.type === 'tool') return { type: 'tool', name: choice.name };
  if (outputTool) {
    return hasTools && choice?.type !== 'none' ? { type: 'any' } : { type: 'tool', name: outputTool.name };
  }
  if (choice?.type === 'required') return { type: 'any' };
  return { type: choice?.type === 'none' ? 'none' : 'auto' };
}

function wireTool({ name, description, parameters, strict }: Tool): JsonObject {
  return {
    name,
    ...(description ? { description } : {}),
    input_schema: { type: 'object', ...parameters },
    ...(strict ? { strict } : {}),
  };
}

/** The reason why a model that thinks by budget cannot think in this request. */
function thinkingConflict({ messages }: ProviderRequest, forcedTool: boolean): string | undefined {
  if (forcedTool) return 'This model cannot reason where a tool is forced.';
  const last = messages.at(-1);
  const caller = last?.role === 'tool' ? messages.findLast(({ role }) => role === 'assistant') : undefined;
  const notes = readBlockNotes(caller?.continuation) ?? [];
  const thought = notes.some((note) => note.kind === 'opaque' && THINKING_TYPES.has(String(note.block.type)));
  if (!caller || thought) return undefined;
  return 'This model cannot reason on in a tool loop whose assistant turn lacks its continuation.';
}
