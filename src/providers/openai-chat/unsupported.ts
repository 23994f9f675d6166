// Owns which parts of a request a server can express: one rule both lists the others and leaves them out.
import type {
  Message,
  MessagePart,
  Parameters,
  ProviderRequest,
  ResponseFormat,
  Tool,
  ToolChoice,
  Unsupported,
} from '../contract/completions.ts';
import { withStrictSchemas } from '../shared/strict-schemas.ts';
import { type ChatQuirks, type Feature, quirksOf } from './quirks.ts';

export function unsupportedBy(request: ProviderRequest): Unsupported[] {
  return fitRequest(request, quirksOf(request.target)).unsupported;
}

export interface FittedRequest {
  /** The request without the parts that cannot be expressed; the given object itself if all can. */
  readonly request: ProviderRequest;
  readonly unsupported: Unsupported[];
}

export function fitRequest(request: ProviderRequest, quirks: ChatQuirks): FittedRequest {
  const fitted = withoutLacks(request, quirks);
  if (quirks.strictSchemas === 'as-given') return fitted;
  const strict = withStrictSchemas(fitted.request);
  return { request: strict.request, unsupported: [...fitted.unsupported, ...strict.unsupported] };
}

function withoutLacks(request: ProviderRequest, quirks: ChatQuirks): FittedRequest {
  const unsupported: Unsupported[] = [];
  const scope: Scope = { request, quirks, lacks: lackedBy(quirks, request.model.reasoning), unsupported };
  const { toolChoice, responseFormat } = request;
  const parameters = fitParameters(scope, request.parameters);
  const tools = fitTools(scope, request.tools);
  const keptChoice = toolChoice && fitToolChoice(scope, toolChoice);
  const keptFormat = responseFormat && fitResponseFormat(scope, responseFormat);
  const messages = request.messages.map((message, index) => fitMessage(scope, message, index));
  if (unsupported.length === 0) return { request, unsupported };
  const { toolChoice: _choice, responseFormat: _format, ...rest } = request;
  return {
    request: {
      ...rest,
      parameters,
      tools,
      messages: messages.filter((message) => message !== undefined),
      ...(keptChoice ? { toolChoice: keptChoice } : {}),
      ...(keptFormat ? { responseFormat: keptFormat } : {}),
    },
    unsupported,
  };
}

interface Scope {
  readonly request: ProviderRequest;
  readonly quirks: ChatQuirks;
  readonly lacks: ReadonlySet<Feature>;
  readonly unsupported: Unsupported[];
}

const lackedByQuirks = new WeakMap<ChatQuirks, Map<boolean, ReadonlySet<Feature>>>();

function lackedBy(quirks: ChatQuirks, reasoning: boolean): ReadonlySet<Feature> {
  let known = lackedByQuirks.get(quirks);
  if (!known) {
    known = new Map();
    lackedByQuirks.set(quirks, known);
  }
  let lacks = known.get(reasoning);
  if (!lacks) {
    lacks = new Set([
      ...quirks.lacks,
      ...(reasoning ? quirks.lacksWhenReasoning : []),
      ...(['topK', 'repetitionPenalty'] as const).filter((name) => !quirks.extras.includes(name)),
      ...(quirks.reasoningStyle === 'object' ? [] : (['reasoningTokens'] as const)),
    ]);
    known.set(reasoning, lacks);
  }
  return lacks;
}

function refuse({ request, unsupported }: Scope, path: string, words: string): undefined {
  unsupported.push({ path, message: `The provider ${request.target.providerKey} ${words}.` });
  return undefined;
}

/** Parameters that need a feature of their own name. */
const PARAMETER_FEATURES = [
  'temperature',
  'topP',
  'topK',
  'stop',
  'seed',
  'presencePenalty',
  'frequencyPenalty',
  'repetitionPenalty',
  'logitBias',
  'reasoningEffort',
  'reasoningTokens',
  'parallelToolCalls',
] as const satisfies readonly (Feature & keyof Parameters)[];

function fitParameters(scope: Scope, parameters: Parameters): Parameters {
  let fitted: { -readonly [name in keyof Parameters]: Parameters[name] } | undefined;
  const leaveOut = (name: keyof Parameters, words: string) => {
    fitted ??= { ...parameters };
    delete fitted[name];
    refuse(scope, `parameters.${name}`, words);
  };
  for (const name of PARAMETER_FEATURES) {
    if (parameters[name] !== undefined && scope.lacks.has(name))
      leaveOut(name, `does not take ${name} with this model`);
  }
  const { reasoningEffort, reasoningTokens } = fitted ?? parameters;
  const efforts = scope.quirks.reasoningEfforts ?? defaultEfforts(scope.quirks);
  if (reasoningEffort !== undefined) {
    if (efforts && efforts[reasoningEffort] === undefined) {
      leaveOut('reasoningEffort', `knows the reasoning efforts ${Object.keys(efforts).join(', ')} only`);
    } else if (reasoningTokens !== undefined) {
      leaveOut('reasoningEffort', 'takes either reasoningEffort or reasoningTokens, and the latter is given');
    }
  }
  return fitted ?? parameters;
}

/** A server that has only a switch for reasoning knows no efforts: off or on. */
function defaultEfforts({ reasoningStyle }: ChatQuirks): ChatQuirks['reasoningEfforts'] {
  return reasoningStyle === 'thinking' ? SWITCH_EFFORTS : undefined;
}

const SWITCH_EFFORTS = { none: 'disabled', high: 'enabled' };

function fitTools(scope: Scope, tools: readonly Tool[]): readonly Tool[] {
  if (tools.length === 0) return tools;
  if (scope.lacks.has('tools')) {
    refuse(scope, 'tools', 'has no tools');
    return [];
  }
  if (!scope.lacks.has('tools.strict')) return tools;
  return tools.map((tool, index) => {
    if (tool.strict !== true) return tool;
    refuse(scope, `tools[${index}].strict`, 'has no strict tools');
    const { strict: _strict, ...loose } = tool;
    return loose;
  });
}

function fitToolChoice(scope: Scope, choice: ToolChoice): ToolChoice | undefined {
  const { lacks } = scope;
  if (choice.type === 'auto' || scope.request.tools.length === 0 || lacks.has('tools')) return choice;
  if (lacks.has('toolChoice')) return refuse(scope, 'toolChoice', 'lets the model alone choose its tools');
  if (choice.type === 'required' && lacks.has('toolChoice.required')) {
    return refuse(scope, 'toolChoice', 'cannot demand that a tool is called');
  }
  if (choice.type === 'tool' && lacks.has('toolChoice.named')) {
    return refuse(scope, 'toolChoice', 'cannot demand a certain tool');
  }
  return choice;
}

function fitResponseFormat(scope: Scope, format: ResponseFormat): ResponseFormat | undefined {
  if (format.type === 'json' && scope.lacks.has('responseFormat.json')) {
    return refuse(scope, 'responseFormat', 'has no JSON mode without a schema');
  }
  if (format.type === 'json-schema' && scope.lacks.has('responseFormat.json-schema')) {
    return refuse(scope, 'responseFormat', 'has no output by JSON schema');
  }
  return format;
}

function fitMessage(scope: Scope, message: Message, index: number): Message | undefined {
  if (scope.lacks.has('tools')) {
    if (message.role === 'tool') return refuse(scope, `messages[${index}]`, 'has no tools');
    if (message.toolCalls.length > 0) {
      refuse(scope, `messages[${index}].toolCalls`, 'has no tools');
      return { ...message, toolCalls: [], parts: fitParts(scope, message, index) };
    }
  }
  const parts = fitParts(scope, message, index);
  return parts === message.parts ? message : { ...message, parts };
}

function fitParts(scope: Scope, message: Message, index: number): readonly MessagePart[] {
  const kept = message.parts.filter((part, place) => {
    const words = part.type === 'image' ? wordsAgainstImage(scope, message, 'url' in part.image) : undefined;
    if (words !== undefined) refuse(scope, `messages[${index}].parts[${place}]`, words);
    return words === undefined;
  });
  return kept.length === message.parts.length ? message.parts : kept;
}

function wordsAgainstImage({ lacks }: Scope, message: Message, byUrl: boolean): string | undefined {
  if (lacks.has('images')) return 'takes no images';
  if (message.role !== 'user') return 'takes images in user messages only';
  if (byUrl && lacks.has('images.url')) return 'takes images as data only, not by URL';
  if (!byUrl && lacks.has('images.data')) return 'takes images by URL only, not as data';
  return undefined;
}
