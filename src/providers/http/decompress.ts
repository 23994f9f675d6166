// Owns the answers of servers that compress although the request asks them not to.
import { pipeline, Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { ProviderError } from '../../kernel/errors.ts';
import type { UpstreamResponse } from '../contract/http.ts';
import { textOfAnswer } from './body-text.ts';

const DECODERS = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
} as const;

/** The response with its body as it was before compression; the given one itself if it is not compressed. */
export function decompressed(response: UpstreamResponse): UpstreamResponse {
  const encoding = response.headers['content-encoding']?.trim().toLowerCase();
  if (encoding === undefined || encoding === '' || encoding === 'identity') return response;
  const { 'content-encoding': _encoding, 'content-length': _length, ...headers } = response.headers;
  const body = { [Symbol.asyncIterator]: () => decode(response.body, encoding) };
  return {
    status: response.status,
    headers,
    body,
    text: (limitBytes) => textOfAnswer(body, response.status, limitBytes),
  };
}

function decode(body: AsyncIterable<Uint8Array>, encoding: string): AsyncIterator<Uint8Array, undefined> {
  if (!isKnown(encoding)) return refused(body, encoding);
  const decoder = DECODERS[encoding]();
  const source = Readable.from(body);
  pipeline(source, decoder, () => {});
  const reads: AsyncIterator<Uint8Array, undefined> = decoder[Symbol.asyncIterator]();
  return {
    next: () =>
      reads.next().catch((cause) => {
        if (source.errored) throw source.errored;
        throw new ProviderError('PROVIDER_PROTOCOL', 'The provider compressed its answer wrongly.', {
          cause,
          phase: 'stream',
        });
      }),
    // A read under way may never end: destroying the streams ends it, and the connection with it.
    return: async () => {
      decoder.destroy();
      source.destroy();
      return { done: true, value: undefined };
    },
  };
}

function refused(body: AsyncIterable<Uint8Array>, encoding: string): AsyncIterator<Uint8Array, undefined> {
  return {
    async next() {
      await body[Symbol.asyncIterator]().return?.();
      throw new ProviderError('PROVIDER_PROTOCOL', `The provider compressed its answer as "${encoding}".`, {
        phase: 'stream',
      });
    },
  };
}

function isKnown(encoding: string): encoding is keyof typeof DECODERS {
  return Object.hasOwn(DECODERS, encoding);
}
