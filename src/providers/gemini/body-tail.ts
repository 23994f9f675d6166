// Owns keeping a body's last bytes, since Gemini reports a fault within a stream as plain JSON, which is not a server-sent event.

const TAIL_BYTES = 64 * 1024;

export class BodyTail {
  #chunks: Uint8Array[] = [];
  #bytes = 0;

  /** Passes the bytes on, and remembers the last of them. */
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

  /** The text after the last event, if it is JSON: the lines from the first one that opens an object or an array. */
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
