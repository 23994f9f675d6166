// Owns the assembly of a function call's arguments from the pieces that Vertex streams if they are requested.
// https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/function-calling#streaming-fc
import type { GeminiPartialArg } from './wire.ts';

type Key = string | number;
type Container = Record<string, unknown> | unknown[];

/** Steps of a path such as `$.order.items[0]['unit price']`. */
const STEP = /\.([^.[\]]+)|\[(\d+)\]|\[(?:'([^']*)'|"([^"]*)")\]/g;

/** Keys that would reach an object's prototype instead of an entry. */
const FORBIDDEN_KEYS: ReadonlySet<Key> = new Set(['__proto__', 'constructor', 'prototype']);

const MAX_INDEX = 10_000;

export class PartialArguments {
  readonly #root: Record<string, unknown> = {};

  add({ jsonPath, ...piece }: GeminiPartialArg): void {
    const keys = keysOf(jsonPath);
    const last = keys.pop();
    if (last === undefined) return;
    let container: Container = this.#root;
    for (const [place, key] of keys.entries()) {
      container = descend(container, key, keys[place + 1] ?? last);
    }
    // Text arrives in pieces of the same path; anything else arrives whole.
    const { stringValue } = piece;
    const before = read(container, last);
    if (stringValue !== undefined)
      write(container, last, typeof before === 'string' ? before + stringValue : stringValue);
    else if (piece.numberValue !== undefined) write(container, last, piece.numberValue);
    else if (piece.boolValue !== undefined) write(container, last, piece.boolValue);
    else if ('nullValue' in piece) write(container, last, null);
  }

  text(): string {
    return JSON.stringify(this.#root);
  }
}

function keysOf(path: string): Key[] {
  const keys: Key[] = [];
  for (const [, name, index, single, double] of path.matchAll(STEP)) {
    const key = index === undefined ? (name ?? single ?? double ?? '') : Number(index);
    if (FORBIDDEN_KEYS.has(key) || Number(key) > MAX_INDEX) return [];
    keys.push(key);
  }
  return keys;
}

function descend(container: Container, key: Key, next: Key): Container {
  const inner = read(container, key);
  if (typeof inner === 'object' && inner !== null) return inner as Container;
  const made: Container = typeof next === 'number' ? [] : {};
  write(container, key, made);
  return made;
}

function read(container: Container, key: Key): unknown {
  return (container as Record<Key, unknown>)[key];
}

function write(container: Container, key: Key, value: unknown): void {
  (container as Record<Key, unknown>)[key] = value;
}
