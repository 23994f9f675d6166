// Owns the cutting of an AWS event stream into its frames as they arrive; the codec reads checksums and headers.
// https://docs.aws.amazon.com/transcribe/latest/dg/event-stream.html
import { EventStreamCodec } from '@smithy/eventstream-codec';
import { protocolFault } from '../shared/answer-faults.ts';
import type { EventFrame } from './wire.ts';

const LENGTH_BYTES = 4;
const MIN_FRAME_BYTES = 16;
const MAX_FRAME_BYTES = 25 * 1024 * 1024;

const codec = new EventStreamCodec(
  (bytes) => (typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('utf8')),
  (text) => Buffer.from(text, 'utf8'),
);

/** Gives one array for each read that completed at least one frame. */
export async function* readEventFrames(body: AsyncIterable<Uint8Array>): AsyncIterable<EventFrame[]> {
  const cutter = new FrameCutter();
  for await (const chunk of body) {
    const frames = cutter.push(chunk);
    if (frames.length > 0) yield frames.map(decodeFrame);
  }
  if (cutter.pendingBytes > 0) throw protocolFault('The event stream broke off within a frame.');
}

class FrameCutter {
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  /** How many bytes must have gathered before looking for a frame again is useful. */
  #wanted = LENGTH_BYTES;

  get pendingBytes(): number {
    return this.#bytes;
  }

  push(chunk: Uint8Array): Uint8Array[] {
    this.#chunks.push(chunk);
    this.#bytes += chunk.byteLength;
    if (this.#bytes < this.#wanted) return [];
    const bytes = Buffer.concat(this.#chunks);
    const frames: Uint8Array[] = [];
    let at = 0;
    this.#wanted = LENGTH_BYTES;
    while (bytes.length - at >= LENGTH_BYTES) {
      const length = frameLength(bytes.readUInt32BE(at));
      if (bytes.length - at < length) {
        this.#wanted = length;
        break;
      }
      frames.push(bytes.subarray(at, at + length));
      at += length;
    }
    this.#chunks = [bytes.subarray(at)];
    this.#bytes = bytes.length - at;
    return frames;
  }
}

function frameLength(told: number): number {
  if (told >= MIN_FRAME_BYTES && told <= MAX_FRAME_BYTES) return told;
  throw protocolFault(`The event stream has a frame of ${told} bytes, which cannot be.`);
}

function decodeFrame(bytes: Uint8Array): EventFrame {
  try {
    const { headers, body } = codec.decode(bytes);
    const texts = Object.entries(headers).map(([name, { value }]) => [name, String(value)]);
    return { headers: Object.fromEntries(texts), payload: Buffer.from(body).toString('utf8') };
  } catch (cause) {
    throw protocolFault('The event stream has a damaged frame.', cause);
  }
}
