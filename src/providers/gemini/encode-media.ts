// Owns how images are sent to Gemini, and the detail in which the model looks at them.
import type { JsonObject } from '../../kernel/json.ts';
import type { ImageSource, Message } from '../contract/completions.ts';

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
  gif: 'image/gif',
  heic: 'image/heic',
  heif: 'image/heif',
  avif: 'image/avif',
  bmp: 'image/bmp',
};

export function encodeImage(image: ImageSource): JsonObject {
  if ('data' in image) return { inlineData: { mimeType: image.mediaType, data: image.data } };
  return { fileData: { mimeType: mediaTypeOf(image.url), fileUri: image.url } };
}

/** Vertex refuses an address without a media type, and the real one is not known here: JPEG is the most likely. */
function mediaTypeOf(url: string): string {
  const extension =
    /\.([a-z]+)$/i.exec(URL.canParse(url) ? new URL(url).pathname : '')?.[1]?.toLowerCase() ?? '';
  return MEDIA_TYPES[extension] ?? 'image/jpeg';
}

/** Gemini has one level of detail for all images of a request, so `mixed` cannot be expressed. */
export function imageDetailOf(messages: readonly Message[]): 'auto' | 'low' | 'high' | 'mixed' {
  const details = new Set(
    messages.flatMap(({ parts }) =>
      parts.flatMap((part) => (part.type === 'image' ? [part.image.detail ?? 'auto'] : [])),
    ),
  );
  if (details.size > 1) return 'mixed';
  const [only = 'auto'] = details;
  return only;
}
