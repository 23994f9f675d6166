// Owns the bounds on a document before it is parsed: its length, and its depth, since the parser recurses and a deep document would overflow its stack.
import { GraphQLError, Lexer, Source, TokenKind } from 'graphql';

/** Far deeper than any operation that may be executed. */
const MAX_NESTING = 500;
const OPENING: ReadonlySet<string> = new Set([TokenKind.BRACE_L, TokenKind.BRACKET_L, TokenKind.PAREN_L]);
const CLOSING: ReadonlySet<string> = new Set([TokenKind.BRACE_R, TokenKind.BRACKET_R, TokenKind.PAREN_R]);

/** In characters; comments and strings count too, unlike in the bound on tokens. */
const MAX_LENGTH = 100_000;

/** Raises a `GraphQLError` with the code `GRAPHQL_PARSE_FAILED`. */
export function boundDocument(text: string): void {
  if (text.length > MAX_LENGTH) {
    throw refusal(
      `the document has ${text.length} characters, of at most ${MAX_LENGTH}; send long texts as variables`,
    );
  }
  if (bracketsIn(text) <= MAX_NESTING) return;
  const lexer = new Lexer(new Source(text));
  let depth = 0;
  try {
    for (let token = lexer.advance(); token.kind !== TokenKind.EOF; token = lexer.advance()) {
      if (OPENING.has(token.kind)) depth += 1;
      else if (CLOSING.has(token.kind)) depth -= 1;
      if (depth > MAX_NESTING) break;
    }
  } catch {
    // A text that cannot be split into tokens is left to the parser, whose error tells the place.
    return;
  }
  if (depth <= MAX_NESTING) return;
  throw refusal(`the document nests deeper than ${MAX_NESTING} levels`);
}

function refusal(reason: string): GraphQLError {
  return new GraphQLError(`Syntax Error: ${reason}`, {
    extensions: { code: 'GRAPHQL_PARSE_FAILED', http: { status: 400 } },
  });
}

/** The number of opening brackets: if it is small, the document cannot be too deep, and the costlier check is skipped. */
function bracketsIn(text: string): number {
  let count = 0;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === 0x7b || code === 0x5b || code === 0x28) count += 1;
  }
  return count;
}
