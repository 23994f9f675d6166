// Owns the reading of a body as text, up to a limit.

/** The text of a body; at `limitBytes` it is cut, and the rest is left. */
export async function readText(body: AsyncIterable<Uint8Array>, limitBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    bytes += chunk.byteLength;
    if (bytes >= limitBytes) break;
  }
  return Buffer.concat(chunks, Math.min(bytes, limitBytes)).toString('utf8');
}
