// Owns images for GigaChat: they are uploaded first; a user message may have one, a request ten.
import { randomUUID } from 'node:crypto';
import { parseJson } from '../../kernel/json.ts';
import type { ImageSource, Message, MessagePart, Unsupported } from '../contract/completions.ts';
import type { ProviderTarget } from '../contract/target.ts';
import { protocolFault } from '../shared/answer-faults.ts';
import { faultOfAnswer } from './errors.ts';
import type { GigaChatSignIn } from './sign-in.ts';
import { fileSchema } from './wire.ts';

type DataImage = Extract<ImageSource, { readonly data: string }>;

export interface FittedImages {
  readonly images: ReadonlyMap<MessagePart, DataImage>;
  readonly unsupported: readonly Unsupported[];
}

const MAX_IN_REQUEST = 10;

export function fitImages(messages: readonly Message[]): FittedImages {
  const images = new Map<MessagePart, DataImage>();
  const unsupported: Unsupported[] = [];
  for (const [index, message] of messages.entries()) {
    let inMessage = 0;
    for (const [place, part] of message.parts.entries()) {
      if (part.type !== 'image') continue;
      inMessage += 1;
      const words = wordsAgainst(message, part.image, inMessage, images.size);
      if (words) unsupported.push({ path: `messages[${index}].parts[${place}]`, message: words });
      else if ('data' in part.image) images.set(part, part.image);
    }
  }
  return { images, unsupported };
}

function wordsAgainst(
  { role }: Message,
  image: ImageSource,
  inMessage: number,
  inRequest: number,
): string | undefined {
  if (role !== 'user') return 'GigaChat takes images in user messages only.';
  if ('url' in image) return 'GigaChat takes images as data only, not by URL.';
  if (inMessage > 1) return 'GigaChat takes one image per message.';
  return inRequest >= MAX_IN_REQUEST ? `GigaChat takes ${MAX_IN_REQUEST} images per request.` : undefined;
}

/** The ids by which the images are attached. They are uploaded one after another, because private accounts may have one request at a time. */
export async function uploadImages(
  signIn: GigaChatSignIn,
  target: ProviderTarget,
  messages: readonly Message[],
  signal: AbortSignal,
): Promise<ReadonlyMap<MessagePart, string>> {
  const fileIds = new Map<MessagePart, string>();
  for (const [part, image] of fitImages(messages).images) {
    const { body, contentType } = multipart(image);
    const response = await signIn.send(target, {
      method: 'POST',
      path: '/files',
      headers: { 'content-type': contentType, accept: 'application/json' },
      body,
      signal,
    });
    if (response.status !== 200) throw await faultOfAnswer(response, target.secret);
    const result = fileSchema.safeParse(parseJson(await response.text()));
    if (!result.success) throw protocolFault('The answer to an upload names no file.');
    fileIds.set(part, result.data.id);
  }
  return fileIds;
}

function multipart({ data, mediaType }: DataImage): { body: Uint8Array; contentType: string } {
  const boundary = `modelgraph-${randomUUID()}`;
  const extension = /^[\w.-]+\/([\w]+)/.exec(mediaType)?.[1] ?? 'bin';
  const head =
    `--${boundary}\r\ncontent-disposition: form-data; name="purpose"\r\n\r\ngeneral\r\n` +
    `--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="image.${extension}"\r\n` +
    `content-type: ${mediaType.replace(/[\r\n]/g, '')}\r\n\r\n`;
  const tail = `\r\n--${boundary}--\r\n`;
  return {
    body: Buffer.concat([Buffer.from(head), Buffer.from(data, 'base64'), Buffer.from(tail)]),
    contentType: `multipart/form-data; boundary=${boundary}`,
  };
}
