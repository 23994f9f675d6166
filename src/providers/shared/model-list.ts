// Owns the bounds on a provider's list of models, over all of its pages, because its entries become rows that every node keeps in memory.
import { ProviderError } from '../../kernel/errors.ts';
import { type JsonValue, parseJson } from '../../kernel/json.ts';

export const MAX_LISTED_MODELS = 20_000;
const MAX_LIST_CHARACTERS = 16 * 1024 * 1024;

export class ModelList<Entry> {
  readonly entries: Entry[] = [];
  #characters = 0;

  /** The JSON of one page; `undefined` if the text is not JSON. */
  parse(text: string): JsonValue | undefined {
    this.#characters += text.length;
    if (this.#characters > MAX_LIST_CHARACTERS) throw tooLong(`${MAX_LIST_CHARACTERS} characters`);
    return parseJson(text);
  }

  add(entries: readonly Entry[]): void {
    checkListLength(this.entries.length + entries.length);
    for (const entry of entries) this.entries.push(entry);
  }
}

/** Raises `PROVIDER_PROTOCOL` for a list that is longer than any provider's. */
export function checkListLength(length: number): void {
  if (length > MAX_LISTED_MODELS) throw tooLong(`${MAX_LISTED_MODELS} models`);
}

function tooLong(bound: string): ProviderError {
  return new ProviderError(
    'PROVIDER_PROTOCOL',
    `The provider's list of models is longer than the ${bound} that are taken; nothing was changed.`,
    { phase: 'stream' },
  );
}
