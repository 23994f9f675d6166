// Owns the reading of a body as text, up to a limit.
import { ProviderError } from '../../kernel/errors.ts';

/** Of an error's words a megabyte is more than enough. */
const ERROR_TEXT_BYTES = 1024 * 1024;
/** Lists of models are the largest texts that are read whole. */
const TEXT_BYTES = 16 * 1024 * 1024;

/** The text of an answer with this status. An error's is cut, and so is any at a limit that is given; a longer one otherwise is refused. */
export async function textOfAnswer(
  body: AsyncIterable<Uint8Array>,
  status: number,
  limitBytes?: number,
): Promise<string> {
  if (limitBytes !== undefined || status >= 300) return readText(body, limitBytes ?? ERROR_TEXT_BYTES);
  return readText(body, TEXT_BYTES, () => {
    throw new ProviderError(
      'PROVIDER_PROTOCOL',
      `The provider sent more than ${TEXT_BYTES / 1024 / 1024} MiB where a list or a short answer was expected.`,
      { phase: 'stream' },
    );
  });
}

/** At `limitBytes` the text is cut, and the rest is left. */
async function readText(
  body: AsyncIterable<Uint8Array>,
  limitBytes: number,
  onMore?: () => never,
): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    bytes += chunk.byteLength;
    if (bytes > limitBytes) onMore?.();
    if (bytes >= limitBytes && !onMore) break;
  }
  return Buffer.concat(chunks, Math.min(bytes, limitBytes)).toString('utf8');
}
