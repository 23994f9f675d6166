// Owns how several texts of one message, or several messages, become the one string that a protocol has room for.
import type { MessagePart } from '../contract/completions.ts';

/**
 * Each part is a paragraph of its own, as the caller gave it: nothing between them would glue words together. A blank line also parts
 * what is several paragraphs itself. What was cut from one running text by the gateway itself is not joined by this.
 */
const BETWEEN_TEXTS = '\n\n';

export function joinedTexts(texts: readonly string[]): string {
  return texts.filter((text) => text !== '').join(BETWEEN_TEXTS);
}

/** The texts of a message; images are passed over. */
export function joinedText(parts: readonly MessagePart[]): string {
  return joinedTexts(parts.map((part) => (part.type === 'text' ? part.text : '')));
}
