// Owns the input of a completion in the graph, and its translation into the request that every door shares.
import { Field, ID, InputType, Int, registerEnumType } from 'type-graphql';
import {
  COMPLETION_DEFAULTS,
  type CompletionRequest,
  type ResponseFormat,
  type ToolChoice,
} from '../../domain/completions/completion-request.ts';
import type { OnDetach } from '../../domain/runs/run-request.ts';
import { GatewayError } from '../../kernel/errors.ts';
import type { JsonObject } from '../../kernel/json.ts';
import { ParametersInput, toParameters } from '../catalogue/parameters.input.ts';
import { withoutNulls } from '../input-values.ts';
import { RoutingInput, toRoutingOptions } from '../routing/routing.input.ts';
import { JsonObjectScalar } from '../scalars.ts';
import { MessageInput, toMessage } from './message.input.ts';

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
  description: 'The form of the answer.',
});

export enum OnDetachPolicy {
  CONTINUE = 'CONTINUE',
  CANCEL = 'CANCEL',
}
registerEnumType(OnDetachPolicy, {
  name: 'OnDetach',
  description: 'What happens to a completion that no reader follows any more.',
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
        'Candidates that cannot express it are left out; if none is left, the request is refused with `CAPABILITY_MISSING`. Default.',
    },
    DROP: { description: 'The parameter is left out, and the completion’s `warnings` say so.' },
  },
});

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
    description:
      'Whether the arguments must follow the schema, if the provider can enforce that. Some providers then give null for a property that is not required.',
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

@InputType({ description: 'The form of the answer.' })
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
    description:
      'With JSON_SCHEMA: whether the provider must enforce the schema, if it can. Some providers then answer null for a property that is not required.',
  })
  strict?: boolean;
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
    description: 'The form of the answer. Default TEXT.',
  })
  responseFormat?: ResponseFormatInput;

  @Field(() => JsonObjectScalar, {
    nullable: true,
    description:
      'Further fields for the provider’s request, by protocol: `{"openai-chat": {"verbosity": "low"}}`. Objects are merged, tools are added to ' +
      '`tools`, anything else replaces what the gateway would send. Refused are fields that the input has itself (the model, the messages, the bound on tokens, ' +
      'streaming) and, where an account or a budget pays, fields that change the price (`service_tier`, `speed`).',
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
    description: 'What happens when no reader follows the completion any more. Default CONTINUE.',
  })
  onDetach?: OnDetachPolicy;

  @Field(() => Int, {
    nullable: true,
    description:
      'With `onDetach: CANCEL`: for how many milliseconds the completion goes on without a reader. Default 30000.',
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
    description: 'Your own data, stored with the completion and never sent to the provider.',
  })
  metadata?: JsonObject;
}

@InputType({ description: 'The completion to stop.' })
export class CancelCompletionInput {
  @Field(() => ID, { description: 'Id of the completion.' })
  id!: string;
}

/** Raises `BAD_USER_INPUT` if fields contradict each other; the domain checks the values. */
export function toCompletionRequest(input: CompletionInput, fallbackKey?: string): CompletionRequest {
  const { parameters, tools, toolChoice, responseFormat, routing, providerOptions } = input;
  const idempotencyKey = input.idempotencyKey ?? fallbackKey;
  return {
    model: input.model,
    messages: input.messages.map((message, index) => toMessage(message, `messages[${index}]`)),
    parameters: toParameters(parameters),
    tools: (tools ?? COMPLETION_DEFAULTS.tools).map((tool) => withoutNulls(tool)),
    ...(toolChoice ? { toolChoice: toToolChoice(toolChoice) } : {}),
    ...(responseFormat ? { responseFormat: toResponseFormat(responseFormat) } : {}),
    providerOptions: (providerOptions ?? COMPLETION_DEFAULTS.providerOptions) as Record<string, JsonObject>,
    onUnsupported: input.onUnsupported ?? COMPLETION_DEFAULTS.onUnsupported,
    routing: toRoutingOptions(routing),
    onDetach: (input.onDetach ?? COMPLETION_DEFAULTS.onDetach) as OnDetach,
    detachGraceMs: input.detachGraceMs ?? COMPLETION_DEFAULTS.detachGraceMs,
    ...(idempotencyKey === undefined || idempotencyKey === null ? {} : { idempotencyKey }),
    metadata: input.metadata ?? COMPLETION_DEFAULTS.metadata,
  };
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
