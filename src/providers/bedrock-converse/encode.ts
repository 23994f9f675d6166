// Owns how a request becomes a Converse body, and which parts of it cannot be expressed: one pass finds both, so that they always agree.
import type { JsonObject, JsonValue } from '../../kernel/json.ts';
import type { Parameters, ProviderRequest, Tool, Unsupported } from '../contract/completions.ts';
import { outputToolOf } from '../shared/output-tool.ts';
import { withProviderOptions } from '../shared/provider-options.ts';
import { translateSchema } from '../shared/translate-schema.ts';
import { invokedModel } from './addresses.ts';
import { encodeMessages } from './encode-messages.ts';
import { planReasoning } from './encode-reasoning.ts';
import { planTools } from './encode-tools.ts';
import { OPTION_RULES } from './option-rules.ts';
import { quirksOf } from './quirks.ts';
import type { BedrockQuirks } from './quirks-schema.ts';

export interface EncodedRequest {
  /** Path below the base URL. */
  readonly path: string;
  readonly body: JsonObject;
  readonly refused: readonly Unsupported[];
  /** The tool whose arguments are the answer's text, if a schema is enforced by a forced tool. */
  readonly outputTool?: string;
}

type Refuse = (path: string, message: string) => void;

const FOREIGN_PARAMETERS = [
  'seed',
  'presencePenalty',
  'frequencyPenalty',
  'repetitionPenalty',
  'logitBias',
] as const satisfies readonly (keyof Parameters)[];

export function encodeRequest(request: ProviderRequest): EncodedRequest {
  const { model, parameters, providerOptions, target } = request;
  const quirks = quirksOf(target, model.key);
  const refused: Unsupported[] = [];
  const refuse: Refuse = (path, message) => void refused.push({ path, message });

  for (const name of FOREIGN_PARAMETERS) {
    if (parameters[name] !== undefined) refuse(`parameters.${name}`, 'This protocol has no such parameter.');
  }
  const output = planOutput(request, quirks, refuse);
  const tools = planTools(request, quirks, output.tool);
  const reasoning = planReasoning(request, quirks, tools.forced);
  const sampling = planSampling(parameters, quirks, reasoning.noSampling, refuse);
  const { system, turns, refused: ofMessages } = encodeMessages(request.messages, quirks);
  const maxTokens = parameters.maxTokens ?? reasoning.maxTokens;
  const inferenceConfig = {
    ...(maxTokens === undefined ? {} : { maxTokens }),
    ...sampling.config,
    ...(parameters.stop && parameters.stop.length > 0 ? { stopSequences: parameters.stop } : {}),
  };
  const fields = { ...sampling.fields, ...reasoning.fields };
  const own: JsonObject = {
    messages: turns,
    ...(system.length > 0 ? { system } : {}),
    ...(isEmpty(inferenceConfig) ? {} : { inferenceConfig }),
    ...(tools.toolConfig ? { toolConfig: tools.toolConfig } : {}),
    ...output.config,
    ...(isEmpty(fields) ? {} : { additionalModelRequestFields: fields }),
  };
  const body = withProviderOptions(own, providerOptions, OPTION_RULES);
  const streamed =
    quirks.streaming === 'always' || (quirks.streaming === 'without-tools' && body.toolConfig === undefined);
  const wireModel = encodeURIComponent(invokedModel(target, model.key, quirks));
  return {
    path: `/model/${wireModel}/${streamed ? 'converse-stream' : 'converse'}`,
    body,
    refused: [...refused, ...tools.refused, ...reasoning.refused, ...ofMessages],
    ...(output.tool ? { outputTool: output.tool.name } : {}),
  };
}

interface SamplingPlan {
  readonly config: JsonObject;
  /** For `additionalModelRequestFields`. */
  readonly fields: JsonObject;
}

function planSampling(
  { temperature, topP, topK }: Parameters,
  { sampling, topKPath }: BedrockQuirks,
  conflict: string | undefined,
  refuse: Refuse,
): SamplingPlan {
  const config: { temperature?: number; topP?: number } = {};
  const never = sampling === 'fixed' ? 'This model takes its own sampling only.' : conflict;
  if (temperature !== undefined) {
    if (never) refuse('parameters.temperature', never);
    else if (temperature > 1) refuse('parameters.temperature', 'The temperature is at most 1 here.');
    else config.temperature = temperature;
  }
  if (topP !== undefined) {
    const clash = sampling === 'temperature-or-top-p' && config.temperature !== undefined;
    if (never) refuse('parameters.topP', never);
    else if (clash) refuse('parameters.topP', 'This model takes temperature or topP, but not both.');
    else config.topP = topP;
  }
  if (topK === undefined) return { config, fields: {} };
  if (never || topKPath === '') {
    refuse('parameters.topK', never ?? 'This model takes no topK.');
    return { config, fields: {} };
  }
  const fields = topKPath.split('.').reduceRight<JsonValue>((value, name) => ({ [name]: value }), topK);
  return { config, fields: fields as JsonObject };
}

interface OutputPlan {
  readonly config: JsonObject;
  readonly tool?: Tool;
}

function planOutput(
  { responseFormat, tools }: ProviderRequest,
  quirks: BedrockQuirks,
  refuse: Refuse,
): OutputPlan {
  if (!responseFormat || responseFormat.type === 'text') return { config: {} };
  if (responseFormat.type === 'json') {
    refuse('responseFormat', 'This protocol has no JSON mode without a schema.');
    return { config: {} };
  }
  const { name, description, schema } = responseFormat;
  if (quirks.structuredOutput === 'native') {
    const translated = translateSchema(schema, 'claude');
    if ('fault' in translated) {
      refuse('responseFormat', `This model cannot be held to the schema: ${translated.fault}.`);
      return { config: {} };
    }
    const text = JSON.stringify(translated.schema);
    const jsonSchema = { schema: text, name, ...(description ? { description } : {}) };
    return { config: { outputConfig: { textFormat: { type: 'json_schema', structure: { jsonSchema } } } } };
  }
  const forceable = quirks.tools && quirks.forcedToolChoice !== 'never';
  if (quirks.structuredOutput === 'tool' && forceable) {
    return { config: {}, tool: outputToolOf(responseFormat, tools) };
  }
  refuse('responseFormat', 'This model has no output by JSON Schema.');
  return { config: {} };
}

function isEmpty(object: object): boolean {
  return Object.keys(object).length === 0;
}
