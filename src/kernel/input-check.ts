// Owns the gathering of every fault of an input, so that a caller mends them at once, and the checks that several entities share.
import { type ErrorCode, GatewayError, type InputProblem } from './errors.ts';
import { isJsonObject, type JsonObject } from './json.ts';
import { faultOfJson } from './storable-json.ts';
import { isStorableText } from './text.ts';

const WORD = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const MAX_JSON_LENGTH = 100_000;
const MAX_WORDS = 64;
const MAX_SEARCH_LENGTH = 200;
const MAX_FILTER_LENGTH = 512;
const MAX_FILTER_TEXTS = 1_000;

/** The fields that a caller sends to change a row; a field that is left out stays unchanged. */
export type Patch<Fields> = { readonly [Name in keyof Fields]?: Fields[Name] | undefined };

export class InputCheck {
  readonly #problems: InputProblem[] = [];

  add(path: string, message: string, code: ErrorCode = 'BAD_USER_INPUT'): void {
    this.#problems.push({ path, message: `${path}: ${message}`, code });
  }

  /** Raises the first problem, with all problems attached; does nothing if there is none. */
  raise(): void {
    const [first] = this.#problems;
    if (!first) return;
    throw new GatewayError(first.code, first.message, { path: first.path, problems: this.#problems });
  }

  /** Adds the problems that another check has found. */
  take(other: InputCheck): void {
    this.#problems.push(...other.#problems);
  }

  get clean(): boolean {
    return this.#problems.length === 0;
  }

  /** A text for people to read, of `min` to `max` characters. */
  text(path: string, value: string | null | undefined, max = 200, min = 1): void {
    if (value == null) return;
    if (value.trim().length < min || value.length > max) {
      this.add(path, `must have ${min} to ${max} characters`);
    } else if (!isStorableText(value)) {
      this.add(path, 'holds U+0000 or half a surrogate pair; remove it');
    }
  }

  integer(path: string, value: number | null | undefined, min: number, max: number): void {
    if (value == null) return;
    if (!Number.isInteger(value) || value < min || value > max) {
      this.add(path, `must be a whole number from ${min} to ${max}`);
    }
  }

  /** An http or https address without credentials, query or fragment; it may hold placeholders, which stand for settings. */
  url(path: string, value: string | null | undefined): URL | undefined {
    if (value == null) return undefined;
    const url = URL.parse(value.replace(/\{[A-Za-z][A-Za-z0-9]*\}/g, 'x'));
    if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:') || value.length > 2_000) {
      this.add(path, 'must be an http or https URL, e.g. https://api.example.com/v1');
      return undefined;
    }
    if (url.username || url.password) this.add(path, 'must not hold credentials; give them as "secret"');
    if (url.search || url.hash) this.add(path, 'must have neither a query nor a fragment');
    return url;
  }

  oneOf(path: string, value: string | null | undefined, known: readonly string[]): void {
    if (value == null || known.includes(value)) return;
    this.add(path, `"${value.slice(0, 80)}" is unknown; choose one of ${known.join(', ')}`);
  }

  allOf(path: string, values: readonly string[] | undefined, known: readonly string[], least = 0): void {
    if (values === undefined) return;
    if (values.length < least) this.add(path, `name at least one of ${known.join(', ')}`);
    for (const [index, value] of values.entries()) this.oneOf(`${path}.${index}`, value, known);
  }

  /** Tags and other short words. */
  words(path: string, values: readonly string[] | undefined): void {
    if (values === undefined) return;
    if (values.length > MAX_WORDS) this.add(path, `at most ${MAX_WORDS} are taken`);
    if (new Set(values).size < values.length) this.add(path, 'holds an entry twice');
    for (const [index, value] of values.entries()) {
      if (!WORD.test(value)) {
        this.add(`${path}.${index}`, 'must be 1 to 64 of a-z, 0-9, ".", "_" and "-"');
      }
    }
  }

  phrases(path: string, values: readonly string[] | undefined): void {
    if (values === undefined) return;
    if (values.length > MAX_WORDS) this.add(path, `at most ${MAX_WORDS} are taken`);
    for (const [index, value] of values.entries()) this.text(`${path}.${index}`, value, 500);
  }

  json(path: string, value: unknown): value is JsonObject {
    if (value === undefined) return false;
    if (!isJsonObject(value)) {
      this.add(path, 'must be a JSON object');
      return false;
    }
    const fault = faultOfJson(value, MAX_JSON_LENGTH);
    if (fault) this.add(path, fault);
    return fault === undefined;
  }

  /** The texts, and lists of texts, by which a caller narrows a list: they must be ones that the database can compare. */
  filter(path: string, filter: object): void {
    for (const [name, value] of Object.entries(filter)) {
      const place = path === '' ? name : `${path}.${name}`;
      const texts = Array.isArray(value) ? value : [value];
      if (texts.length > MAX_FILTER_TEXTS) this.add(place, `at most ${MAX_FILTER_TEXTS} are taken`);
      const most = name === 'search' ? MAX_SEARCH_LENGTH : MAX_FILTER_LENGTH;
      for (const text of texts.slice(0, MAX_FILTER_TEXTS)) {
        if (typeof text === 'string') this.text(place, text, most, 0);
      }
    }
  }
}

/** The changes that the caller asked for, without the fields that it left out. */
export function definedOf<Fields extends object>(patch: Fields): Partial<Fields> {
  return Object.fromEntries(
    Object.entries(patch).filter(([, value]) => value !== undefined),
  ) as Partial<Fields>;
}
