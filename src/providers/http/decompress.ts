// Owns the answers of servers that compress although they were asked not to.
import { pipeline, Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { ProviderError } from '../../kernel/errors.ts';
import type { UpstreamResponse } from '../contract/adapter.ts';
import { readText } from './body-text.ts';

const DECODERS = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
} as const;

/** The response with its body as it was before compression; the given one itself if it is not compressed. */
export function decompressed(response: UpstreamResponse, defaultTextBytes: number): UpstreamResponse {
  const encoding = response.headers['content-encoding']?.trim().toLowerCase();
  if (encoding === undefined || encoding === '' || encoding === 'identity') return response;
  const { 'content-encoding': _encoding, 'content-length': _length, ...headers } = response.headers;
  const body = { [Symbol.asyncIterator]: () => decode(response.body, encoding) };
  return {
    status: response.status,
    headers,
    body,
    text: (limitBytes = defaultTextBytes) => readText(body, limitBytes),
  };
}

async function* decode(body: AsyncIterable<Uint8Array>, encoding: string): AsyncGenerator<Uint8Array> {
  if (!isKnown(encoding)) {
    await body[Symbol.asyncIterator]().return?.();
    throw new ProviderError('PROVIDER_PROTOCOL', `The provider compressed its answer as "${encoding}".`, {
      phase: 'stream',
    });
  }
  const decoder = DECODERS[encoding]();
  const source = Readable.from(body);
  pipeline(source, decoder, () => {});
  try {
    yield* decoder as AsyncIterable<Uint8Array>;
  } catch (cause) {
    if (source.errored) throw source.errored;
    throw new ProviderError('PROVIDER_PROTOCOL', 'The provider compressed its answer wrongly.', {
      cause,
      phase: 'stream',
    });
  }
}

function isKnown(encoding: string): encoding is keyof typeof DECODERS {
  return Object.hasOwn(DECODERS, encoding);
}
