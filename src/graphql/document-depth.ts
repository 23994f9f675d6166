// Owns the bound on how deep a document nests before it is parsed: the parser calls itself, and would run out of stack.
import { GraphQLError, Lexer, Source, TokenKind } from 'graphql';

/** Far beyond any bound on what is executed. */
const MAX_NESTING = 500;
const OPENING: ReadonlySet<string> = new Set([TokenKind.BRACE_L, TokenKind.BRACKET_L, TokenKind.PAREN_L]);
const CLOSING: ReadonlySet<string> = new Set([TokenKind.BRACE_R, TokenKind.BRACKET_R, TokenKind.PAREN_R]);

/** Raises a `GraphQLError` with the code `GRAPHQL_PARSE_FAILED`. */
export function refuseDeepDocument(text: string): void {
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
    // What is no document at all is the parser's to tell.
    return;
  }
  if (depth <= MAX_NESTING) return;
  throw new GraphQLError(`Syntax Error: the document nests deeper than ${MAX_NESTING} levels`, {
    extensions: { code: 'GRAPHQL_PARSE_FAILED', http: { status: 400 } },
  });
}

/** Most documents are told from the bad ones by this alone. */
function bracketsIn(text: string): number {
  let count = 0;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === 0x7b || code === 0x5b || code === 0x28) count += 1;
  }
  return count;
}
