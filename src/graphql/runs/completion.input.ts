// Owns the inputs of completions as the graph shows them, and their translation into the request that every door shares.
import { Field, Float, ID, InputType, Int, registerEnumType } from 'type-graphql';
import type { Fallback } from '../../domain/routing/route-plan.ts';
import type { CompletionRequest, OnDetach, RequestMessage } from '../../domain/runs/completion-request.ts';
import { GatewayError } from '../../kernel/errors.ts';
import type { JsonObject } from '../../kernel/json.ts';
import type {
  ImageSource,
  MessagePart,
  ReasoningEffort,
  ResponseFormat,
  ToolChoice,
} from '../../providers/contract.ts';
import { JsonObjectScalar } from '../scalars.ts';

export enum MessageRole {
  SYSTEM = 'system',
  USER = 'user',
  ASSISTANT = 'assistant',
  TOOL = 'tool',
}
registerEnumType(MessageRole, { name: 'MessageRole', description: 'Who speaks a message.' });

export enum ReasoningEffortLevel {
  NONE = 'none',
  MINIMAL = 'minimal',
  LOW = 'low',
  MEDIUM = 'medium',
  HIGH = 'high',
  MAX = 'max',
}
registerEnumType(ReasoningEffortLevel, {
  name: 'ReasoningEffort',
  description: 'How much a reasoning model thinks before it answers.',
});

export enum ToolChoiceMode {
  AUTO = 'auto',
  NONE = 'none',
  REQUIRED = 'required',
  TOOL = 'tool',
}
registerEnumType(ToolChoiceMode, {
  name: 'ToolChoiceMode',
  description: 'Whether the model may, must not or must call tools.',
  valuesConfig: {
    AUTO: { description: 'The model decides.' },
    NONE: { description: 'No call is made.' },
    REQUIRED: { description: 'At least one call is made.' },
    TOOL: { description: 'The tool called `name` is called.' },
  },
});

export enum ResponseFormatKind {
  TEXT = 'text',
  JSON = 'json',
  JSON_SCHEMA = 'json-schema',
}
registerEnumType(ResponseFormatKind, {
  name: 'ResponseFormatKind',
  description: 'What form the answer takes.',
});

export enum ImageDetail {
  AUTO = 'auto',
  LOW = 'low',
  HIGH = 'high',
}
registerEnumType(ImageDetail, {
  name: 'ImageDetail',
  description: 'At which resolution a model looks at an image.',
});

export enum FallbackPolicy {
  NONE = 'NONE',
  SAME_MODEL = 'SAME_MODEL',
  ANY = 'ANY',
}
registerEnumType(FallbackPolicy, {
  name: 'Fallback',
  description: 'What may serve when the first choice fails.',
  valuesConfig: {
    NONE: { description: 'Nothing else: the fault is reported.' },
    SAME_MODEL: {
      description: 'Other instances of the same model. Default for a slug and for a canonical model id.',
    },
    ANY: { description: 'Any enabled instance with text output. Default for `tag:<name>` and `auto`.' },
  },
});

export enum OnDetachPolicy {
  CONTINUE = 'CONTINUE',
  CANCEL = 'CANCEL',
}
registerEnumType(OnDetachPolicy, {
  name: 'OnDetach',
  description: 'What happens to a run that nobody follows any more.',
  valuesConfig: {
    CONTINUE: { description: 'It goes on to its end, and can be read later. Default.' },
    CANCEL: { description: 'It is cancelled after `detachGraceMs` without a reader.' },
  },
});

export enum UnsupportedPolicy {
  REFUSE = 'REFUSE',
  DROP = 'DROP',
}
registerEnumType(UnsupportedPolicy, {
  name: 'UnsupportedPolicy',
  description: 'What happens to a parameter that the chosen provider cannot express.',
  valuesConfig: {
    REFUSE: {
      description:
        'Such a candidate is left out; with none left, the request is refused with `CAPABILITY_MISSING`. Default.',
    },
    DROP: { description: 'The parameter is left out, and the completion’s `warnings` say so.' },
  },
});

@InputType({ description: 'An image: either `url`, or `data` with `mediaType`.' })
export class ImageInput {
  @Field(() => String, { nullable: true, description: 'An http or https address that the provider fetches.' })
  url?: string;

  @Field(() => String, {
    nullable: true,
    description: 'The image itself as base64, without a `data:` prefix.',
  })
  data?: string;

  @Field(() => String, { nullable: true, description: 'Type of `data`, e.g. `image/png`.' })
  mediaType?: string;

  @Field(() => ImageDetail, {
    nullable: true,
    description: 'At which resolution the model should look at it, where it can choose.',
  })
  detail?: ImageDetail;
}

@InputType({ description: 'One part of a message: `text` or `image`.' })
export class MessagePartInput {
  @Field(() => String, { nullable: true, description: 'Text.' })
  text?: string;

  @Field(() => ImageInput, { nullable: true, description: 'An image, in messages of role USER and TOOL.' })
  image?: ImageInput;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Hint that everything up to here is worth caching at the provider.',
  })
  cacheHint?: boolean;
}

@InputType({ description: 'A call that an earlier answer made, given back in a tool loop.' })
export class ToolCallInput {
  @Field(() => String, { description: '`callId` of the call.' })
  callId!: string;

  @Field(() => String, { description: 'Name of the tool.' })
  name!: string;

  @Field(() => String, { description: 'Arguments as the JSON text of an object.' })
  argumentsText!: string;
}

@InputType({ description: 'One message of the conversation, oldest first.' })
export class MessageInput {
  @Field(() => MessageRole, { description: 'Who speaks.' })
  role!: MessageRole;

  @Field(() => String, {
    nullable: true,
    description: 'Short for one text part. Give either this or `parts`.',
  })
  text?: string;

  @Field(() => [MessagePartInput], { nullable: true, description: 'Text and images in order.' })
  parts?: MessagePartInput[];

  @Field(() => [ToolCallInput], {
    nullable: true,
    description: 'For role ASSISTANT: the calls that it made.',
  })
  toolCalls?: ToolCallInput[];

  @Field(() => String, { nullable: true, description: 'For role TOOL: the call that this message answers.' })
  toolCallId?: string;

  @Field(() => String, {
    nullable: true,
    description:
      'For role ASSISTANT: the `continuation` of the completion that gave this message, unchanged. It carries what the provider wants back in a tool loop.',
  })
  continuation?: string;
}

@InputType({ description: 'A bias on one token.' })
export class LogitBiasInput {
  @Field(() => String, { description: 'Token id in the model’s vocabulary.' })
  token!: string;

  @Field(() => Float, { description: 'From -100 to 100.' })
  bias!: number;
}

@InputType({
  description:
    'How the answer is sampled. What is left out takes the instance’s default, else the provider’s.',
})
export class ParametersInput {
  @Field(() => Int, { nullable: true, description: 'Most tokens of output, 1 to the model’s own limit.' })
  maxTokens?: number;

  @Field(() => Float, { nullable: true, description: 'Randomness, 0 to 2.' })
  temperature?: number;

  @Field(() => Float, { nullable: true, description: 'Nucleus sampling, 0 to 1.' })
  topP?: number;

  @Field(() => Int, { nullable: true, description: 'Only the k likeliest tokens are considered.' })
  topK?: number;

  @Field(() => [String], { nullable: true, description: 'Texts at which the answer stops; at most 16.' })
  stop?: string[];

  @Field(() => Float, {
    nullable: true,
    description: 'Whole number that makes sampling repeatable, as far as the provider can.',
  })
  seed?: number;

  @Field(() => Float, { nullable: true, description: 'Penalty on tokens that have occurred, -2 to 2.' })
  presencePenalty?: number;

  @Field(() => Float, {
    nullable: true,
    description: 'Penalty on tokens by how often they occurred, -2 to 2.',
  })
  frequencyPenalty?: number;

  @Field(() => Float, {
    nullable: true,
    description: 'Multiplicative penalty on repetition, 0 to 10; 1 is none.',
  })
  repetitionPenalty?: number;

  @Field(() => [LogitBiasInput], { nullable: true, description: 'Biases on single tokens.' })
  logitBias?: LogitBiasInput[];

  @Field(() => ReasoningEffortLevel, { nullable: true, description: 'How much a reasoning model thinks.' })
  reasoningEffort?: ReasoningEffortLevel;

  @Field(() => Int, {
    nullable: true,
    description: 'Most tokens of reasoning, where the provider takes such a bound.',
  })
  reasoningTokens?: number;

  @Field(() => Boolean, { nullable: true, description: 'Whether several tools may be called in one turn.' })
  parallelToolCalls?: boolean;
}

@InputType({ description: 'A function that the model may call.' })
export class ToolInput {
  @Field(() => String, { description: '1 to 64 letters, digits, "_", "-" or ".".' })
  name!: string;

  @Field(() => String, { nullable: true, description: 'What it does and when to call it.' })
  description?: string;

  @Field(() => JsonObjectScalar, { description: 'JSON Schema of its arguments, an object.' })
  parameters!: JsonObject;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Whether arguments must keep to the schema, where the provider can promise it.',
  })
  strict?: boolean;
}

@InputType({ description: 'Whether and which tool is called.' })
export class ToolChoiceInput {
  @Field(() => ToolChoiceMode, { description: 'AUTO, NONE, REQUIRED, or TOOL with `name`.' })
  mode!: ToolChoiceMode;

  @Field(() => String, { nullable: true, description: 'With mode TOOL: the tool to call.' })
  name?: string;
}

@InputType({ description: 'What form the answer takes.' })
export class ResponseFormatInput {
  @Field(() => ResponseFormatKind, { description: 'TEXT, JSON (any), or JSON_SCHEMA with `schema`.' })
  kind!: ResponseFormatKind;

  @Field(() => String, {
    nullable: true,
    description: 'With JSON_SCHEMA: a name for the schema. Default `answer`.',
  })
  name?: string;

  @Field(() => String, { nullable: true, description: 'With JSON_SCHEMA: what the answer is for.' })
  description?: string;

  @Field(() => JsonObjectScalar, { nullable: true, description: 'With JSON_SCHEMA: the JSON Schema.' })
  schema?: JsonObject;

  @Field(() => Boolean, {
    nullable: true,
    description: 'With JSON_SCHEMA: whether the provider must enforce it, where it can.',
  })
  strict?: boolean;
}

@InputType({ description: 'How an instance is chosen.' })
export class RoutingInput {
  @Field(() => FallbackPolicy, { nullable: true, description: 'What may serve when the first choice fails.' })
  fallback?: FallbackPolicy;
}

@InputType({ description: 'One completion.' })
export class CompletionInput {
  @Field(() => String, {
    description: 'An instance’s slug, a canonical model id such as `openai/gpt-4o`, `tag:<name>`, or `auto`.',
  })
  model!: string;

  @Field(() => [MessageInput], { description: 'The conversation, oldest message first; at least one.' })
  messages!: MessageInput[];

  @Field(() => ParametersInput, { nullable: true, description: 'How the answer is sampled.' })
  parameters?: ParametersInput;

  @Field(() => [ToolInput], { nullable: true, description: 'Functions that the model may call.' })
  tools?: ToolInput[];

  @Field(() => ToolChoiceInput, {
    nullable: true,
    description: 'Whether and which tool is called. Default AUTO.',
  })
  toolChoice?: ToolChoiceInput;

  @Field(() => ResponseFormatInput, {
    nullable: true,
    description: 'What form the answer takes. Default TEXT.',
  })
  responseFormat?: ResponseFormatInput;

  @Field(() => JsonObjectScalar, {
    nullable: true,
    description:
      'Further fields for the provider’s request, verbatim, by protocol: `{"openai-chat": {"verbosity": "low"}}`.',
  })
  providerOptions?: JsonObject;

  @Field(() => UnsupportedPolicy, {
    nullable: true,
    description: 'What happens to a parameter that the provider cannot express. Default REFUSE.',
  })
  onUnsupported?: UnsupportedPolicy;

  @Field(() => RoutingInput, { nullable: true, description: 'How an instance is chosen.' })
  routing?: RoutingInput;

  @Field(() => OnDetachPolicy, {
    nullable: true,
    description: 'What happens when nobody follows the run any more. Default CONTINUE.',
  })
  onDetach?: OnDetachPolicy;

  @Field(() => Int, {
    nullable: true,
    description: 'With `onDetach: CANCEL`: how long a reader may be away, in milliseconds. Default 30000.',
  })
  detachGraceMs?: number;

  @Field(() => String, {
    nullable: true,
    description:
      'Names the run for 24 hours: the same key with the same input joins it instead of starting another; with another input it is a CONFLICT.',
  })
  idempotencyKey?: string;

  @Field(() => JsonObjectScalar, {
    nullable: true,
    description: 'Whatever you want to find again on the completion. Not sent to the provider.',
  })
  metadata?: JsonObject;
}

@InputType({ description: 'Which run to stop.' })
export class CancelCompletionInput {
  @Field(() => ID, { description: 'Id of the completion.' })
  id!: string;
}

const DEFAULT_DETACH_GRACE_MS = 30_000;

/** Raises `BAD_USER_INPUT` where fields contradict each other; the rules on values are the domain's. */
export function toCompletionRequest(input: CompletionInput, fallbackKey?: string): CompletionRequest {
  const { parameters = {}, tools, toolChoice, responseFormat, routing, providerOptions } = input;
  const { logitBias, reasoningEffort, ...sampling } = parameters as ParametersInput;
  const idempotencyKey = input.idempotencyKey ?? fallbackKey;
  return {
    model: input.model,
    messages: input.messages.map((message, index) => toMessage(message, `messages[${index}]`)),
    parameters: {
      ...withoutNulls(sampling),
      ...(logitBias
        ? { logitBias: Object.fromEntries(logitBias.map(({ token, bias }) => [token, bias])) }
        : {}),
      ...(reasoningEffort ? { reasoningEffort: reasoningEffort as ReasoningEffort } : {}),
    },
    tools: (tools ?? []).map((tool) => withoutNulls(tool)),
    ...(toolChoice ? { toolChoice: toToolChoice(toolChoice) } : {}),
    ...(responseFormat ? { responseFormat: toResponseFormat(responseFormat) } : {}),
    providerOptions: (providerOptions ?? {}) as Record<string, JsonObject>,
    onUnsupported: input.onUnsupported ?? 'REFUSE',
    routing: routing?.fallback ? { fallback: routing.fallback as Fallback } : {},
    onDetach: (input.onDetach ?? 'CONTINUE') as OnDetach,
    detachGraceMs: input.detachGraceMs ?? DEFAULT_DETACH_GRACE_MS,
    ...(idempotencyKey === undefined || idempotencyKey === null ? {} : { idempotencyKey }),
    metadata: input.metadata ?? {},
  };
}

function toMessage(message: MessageInput, path: string): RequestMessage {
  const { role, text, parts, toolCalls, toolCallId, continuation } = message;
  if (text != null && parts != null) refuse(path, 'give either "text" or "parts", not both');
  const content =
    text != null
      ? [{ type: 'text' as const, text }]
      : (parts ?? []).map((part, index) => toPart(part, `${path}.parts[${index}]`));
  return {
    role,
    parts: content.filter((part) => part.type !== 'text' || part.text !== ''),
    toolCalls: (toolCalls ?? []).map(({ callId, name, argumentsText }) => ({ callId, name, argumentsText })),
    ...(toolCallId != null ? { toolCallId } : {}),
    ...(continuation != null ? { continuation } : {}),
  };
}

function toPart({ text, image, cacheHint }: MessagePartInput, path: string): MessagePart {
  const hint = cacheHint ? { cacheHint } : {};
  if ((text == null) === (image == null)) refuse(path, 'give exactly one of "text" and "image"');
  if (image == null) return { type: 'text', text: text ?? '', ...hint };
  return { type: 'image', image: toImage(image, `${path}.image`), ...hint };
}

function toImage({ url, data, mediaType, detail }: ImageInput, path: string): ImageSource {
  const look = detail == null ? {} : { detail };
  if ((url == null) === (data == null)) refuse(path, 'give exactly one of "url" and "data"');
  if (url != null) return { url, ...look };
  if (mediaType == null) refuse(`${path}.mediaType`, 'is needed beside "data", e.g. image/png');
  return { data: data ?? '', mediaType, ...look };
}

function toToolChoice({ mode, name }: ToolChoiceInput): ToolChoice {
  if (mode !== ToolChoiceMode.TOOL) return { type: mode };
  if (!name) refuse('toolChoice.name', 'is needed with mode TOOL');
  return { type: 'tool', name };
}

function toResponseFormat({ kind, name, description, schema, strict }: ResponseFormatInput): ResponseFormat {
  if (kind !== ResponseFormatKind.JSON_SCHEMA) return { type: kind };
  if (!schema) refuse('responseFormat.schema', 'is needed with kind JSON_SCHEMA');
  return { type: kind, name: name ?? 'answer', schema, ...withoutNulls({ description, strict }) };
}

function refuse(path: string, message: string): never {
  throw new GatewayError('BAD_USER_INPUT', `${path}: ${message}`, { path });
}

/** GraphQL gives `null` where a client wrote it; a field that is null is a field left out. */
function withoutNulls<T extends object>(value: T): { [Key in keyof T]: Exclude<T[Key], null> } {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry != null)) as never;
}
