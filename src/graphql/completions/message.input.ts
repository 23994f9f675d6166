// Owns the input of a completion's messages: texts, images, tool calls and their results.
import { Field, InputType, registerEnumType } from 'type-graphql';
import type {
  ImageSource,
  MessagePart,
  RequestMessage,
} from '../../domain/completions/completion-request.ts';
import { GatewayError } from '../../kernel/errors.ts';

export enum MessageRole {
  SYSTEM = 'system',
  USER = 'user',
  ASSISTANT = 'assistant',
  TOOL = 'tool',
}
registerEnumType(MessageRole, { name: 'MessageRole', description: 'The author of a message.' });

export enum ImageDetail {
  AUTO = 'auto',
  LOW = 'low',
  HIGH = 'high',
}
registerEnumType(ImageDetail, {
  name: 'ImageDetail',
  description: 'At which resolution a model looks at an image.',
});

@InputType({ description: 'An image: either `url`, or `data` with `mediaType`.' })
export class ImageInput {
  @Field(() => String, { nullable: true, description: 'An http or https address that the provider fetches.' })
  url?: string;

  @Field(() => String, {
    nullable: true,
    description: 'The image as base64, without a `data:` prefix.',
  })
  data?: string;

  @Field(() => String, { nullable: true, description: 'Type of `data`, e.g. `image/png`.' })
  mediaType?: string;

  @Field(() => ImageDetail, {
    nullable: true,
    description: 'The resolution at which the model should look at it, if it supports a choice.',
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
    description: 'Asks the provider to cache everything up to this part.',
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
  @Field(() => MessageRole, { description: 'The author of the message.' })
  role!: MessageRole;

  @Field(() => String, {
    nullable: true,
    description: 'Stands for one text part. Give either this or `parts`.',
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
      'For role ASSISTANT: the unchanged `continuation` of the completion that gave this message. It holds the data that the provider needs back in a tool loop.',
  })
  continuation?: string;
}

/** Raises `BAD_USER_INPUT` if fields contradict each other; the domain checks the values. */
export function toMessage(message: MessageInput, path: string): RequestMessage {
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

function refuse(path: string, message: string): never {
  throw new GatewayError('BAD_USER_INPUT', `${path}: ${message}`, { path });
}
