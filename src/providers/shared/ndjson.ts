// Owns the reading of newline-delimited bodies: one array of non-empty lines for each read.
import { TextLines } from './text-lines.ts';

export async function* readLines(
  body: AsyncIterable<Uint8Array>,
  maxChars?: number,
): AsyncIterable<string[]> {
  const lines = new TextLines(maxChars);
  for await (const bytes of body) {
    const complete = lines.push(bytes).filter(hasText);
    if (complete.length > 0) yield complete;
  }
  const last = lines.end().filter(hasText);
  if (last.length > 0) yield last;
}

function hasText(line: string): boolean {
  return line.trim() !== '';
}
