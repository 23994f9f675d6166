// Owns the bounds on JSON text before it is parsed: parsing takes time and memory for each value, and code that walks the values recurses by their depth.

const MAX_DEPTH = 128;
const MAX_VALUES = 200_000;
/** Bound for one object: the validation of its type searches for and reports each unknown key. */
const MAX_KEYS = 5_000;
const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPENING = new Set([0x5b, 0x7b]);
const CLOSING = new Set([0x5d, 0x7d]);

/** The reason why the text is refused, in words for its sender; `undefined` if it is within the bounds, whether or not its syntax is right. */
export function jsonExcess(text: string): string | undefined {
  // The text is too short to exceed any of the bounds.
  if (text.length <= MAX_DEPTH) return undefined;
  let depth = 0;
  let values = 1;
  /** By depth: the number of keys of the object that is open there. */
  const keys = new Uint32Array(MAX_DEPTH + 1);
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === QUOTE) {
      index = endOfString(text, index);
    } else if (code === COMMA) {
      values += 1;
    } else if (code === COLON && depth > 0) {
      const count = (keys[depth] ?? 0) + 1;
      keys[depth] = count;
      if (count > MAX_KEYS) return `An object of the JSON has more than ${MAX_KEYS} keys; send fewer`;
    } else if (OPENING.has(code)) {
      depth += 1;
      values += 1;
      if (depth > MAX_DEPTH) return `The JSON nests deeper than ${MAX_DEPTH} levels; send it flatter`;
      keys[depth] = 0;
    } else if (CLOSING.has(code)) {
      depth -= 1;
    }
    if (values > MAX_VALUES) return `The JSON has more than ${MAX_VALUES} values; send fewer at once`;
  }
  return undefined;
}

/** Index of the end of the string that begins at `start`; the end of the text if the string does not end. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes += 1;
    // An even number of backslashes escape each other, not the quote.
    if (backslashes % 2 === 0) return end;
  }
  return text.length;
}
