// Owns the reading of a body as text, up to a limit.
import { ProviderError } from '../../kernel/errors.ts';

/** A megabyte is more than enough for the text of an error. */
const ERROR_TEXT_BYTES = 1024 * 1024;
/** Lists of models are the largest texts that are read as a whole. */
const TEXT_BYTES = 16 * 1024 * 1024;

/** The text of an answer with this status. The text of an error is cut, and so is any text at a given limit; other texts that are too long are refused. */
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

/** The text, cut at `limitBytes`; the rest is not read. */
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
