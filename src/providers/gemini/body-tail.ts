// Owns the memory of a body's last bytes: Gemini reports a fault within a stream as bare JSON, which is no server-sent event.

const TAIL_BYTES = 64 * 1024;

export class BodyTail {
  #chunks: Uint8Array[] = [];
  #bytes = 0;

  /** The same bytes, whose end is remembered. */
  async *watch(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    for await (const chunk of body) {
      this.#chunks.push(chunk);
      this.#bytes += chunk.byteLength;
      while (this.#chunks.length > 1 && this.#bytes - (this.#chunks[0]?.byteLength ?? 0) >= TAIL_BYTES) {
        this.#bytes -= this.#chunks.shift()?.byteLength ?? 0;
      }
      yield chunk;
    }
  }

  /** What stands after the last event, if it is JSON: the lines from the first that opens an object or an array. */
  bareJson(): string | undefined {
    const lines = Buffer.concat(this.#chunks)
      .toString('utf8')
      .split(/\r\n|\n|\r/);
    const lastEvent = lines.findLastIndex((line) => line.startsWith('data:'));
    const bare = lines
      .slice(lastEvent + 1)
      .join('\n')
      .trim();
    return bare.startsWith('{') || bare.startsWith('[') ? bare : undefined;
  }
}
