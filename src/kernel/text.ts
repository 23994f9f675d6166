// Owns what text a database can keep: PostgreSQL takes neither U+0000 nor half a surrogate pair.

/** The text, with every character that the database cannot store replaced by U+FFFD. */
export function storableText(text: string): string {
  const wellFormed = text.isWellFormed() ? text : text.toWellFormed();
  return wellFormed.includes('\0') ? wellFormed.replaceAll('\0', '\uFFFD') : wellFormed;
}

export function isStorableText(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

/** The same text, cut to `maxLength` UTF-16 units; a surrogate pair is never cut in two. */
export function boundedText(text: string, maxLength: number): string {
  if (text.length <= maxLength) return storableText(text);
  const end = isHighSurrogate(text.charCodeAt(maxLength - 1)) ? maxLength - 1 : maxLength;
  return storableText(text.slice(0, end));
}

export function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}
