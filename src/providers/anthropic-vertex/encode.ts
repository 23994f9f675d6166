// Owns how a Messages body becomes the one that Vertex accepts: the model is in the address, the version in the body, images only as data.
import { type EncodedRequest, encodeRequest as encodeForAnthropic } from '../anthropic-messages/encode.ts';
import type { Message, ProviderRequest, Unsupported } from '../contract/completions.ts';

/** https://docs.cloud.google.com/vertex-ai/generative-ai/docs/partner-models/claude/use-claude */
export const VERSION = 'vertex-2023-10-16';

export function encodeRequest(request: ProviderRequest): EncodedRequest {
  const messages = request.messages.map(withoutAddressedImages);
  const { body, refused, ...rest } = encodeForAnthropic({ ...request, messages });
  const { model: _inAddress, ...fields } = body;
  return {
    body: { anthropic_version: VERSION, ...fields },
    refused: [...refused, ...addressedImages(request.messages)],
    ...rest,
  };
}

function withoutAddressedImages(message: Message): Message {
  const parts = message.parts.filter((part) => part.type !== 'image' || !('url' in part.image));
  return parts.length === message.parts.length ? message : { ...message, parts };
}

function addressedImages(messages: readonly Message[]): Unsupported[] {
  return messages.flatMap(({ parts }, index) =>
    parts.flatMap((part, place) =>
      part.type === 'image' && 'url' in part.image
        ? [
            {
              path: `messages[${index}].parts[${place}]`,
              message: 'Claude on Vertex does not fetch images: send the data.',
            },
          ]
        : [],
    ),
  );
}
