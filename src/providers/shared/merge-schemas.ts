// Owns references within a JSON Schema, and the joining of the schemas of an `allOf` into one that says as much.
import { canonicalJson, isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts';

/** The schema to which a reference leads; `undefined` where it leads out of `root`, or to nothing. */
export function schemaAt(root: JsonObject, reference: string): JsonObject | undefined {
  if (!reference.startsWith('#')) return undefined;
  let found: JsonValue | undefined = root;
  for (const step of reference.slice(1).split('/').filter(Boolean)) {
    const name = unescaped(step);
    found = isJsonObject(found) && Object.hasOwn(found, name) ? found[name] : undefined;
  }
  return isJsonObject(found) ? found : undefined;
}

function unescaped(step: string): string {
  try {
    return decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~');
  } catch {
    return step;
  }
}

/** Whether following the references of the schema from its root leads back to a schema that is being followed. */
export function isRecursive(root: JsonObject): boolean {
  const done = new Set<string>();
  const follow = (reference: string, open: readonly string[]): boolean => {
    if (open.includes(reference)) return true;
    if (done.has(reference)) return false;
    const schema = schemaAt(root, reference);
    const found =
      schema !== undefined && referencesIn(schema).some((next) => follow(next, [...open, reference]));
    done.add(reference);
    return found;
  };
  return follow('#', []);
}

function referencesIn(value: JsonValue | undefined): string[] {
  if (Array.isArray(value)) return value.flatMap(referencesIn);
  if (!isJsonObject(value)) return [];
  const own = typeof value.$ref === 'string' ? [value.$ref] : [];
  const inner = Object.entries(value).flatMap(([name, entry]) =>
    // Definitions count where something refers to them.
    name === '$defs' || name === 'definitions' ? [] : referencesIn(entry),
  );
  return [...own, ...inner];
}

/** One schema that demands what all demand; `undefined` where two of them say different things under one name. */
export function mergedSchema(root: JsonObject, schemas: readonly JsonValue[]): JsonObject | undefined {
  const merged: Record<string, JsonValue> = {};
  for (const entry of schemas) {
    if (!isJsonObject(entry)) return undefined;
    const { $ref, ...own } = entry;
    const schema =
      typeof $ref === 'string' && schemas.length > 1 ? { ...schemaAt(root, $ref), ...own } : entry;
    if (schemas.length > 1 && ('$ref' in schema || 'allOf' in schema)) return undefined;
    for (const [name, value] of Object.entries(schema)) {
      const joined = Object.hasOwn(merged, name) ? joinedValue(name, merged[name], value) : value;
      if (joined === undefined) return undefined;
      merged[name] = joined;
    }
  }
  return merged;
}

function joinedValue(
  name: string,
  first: JsonValue | undefined,
  next: JsonValue | undefined,
): JsonValue | undefined {
  if (name === 'description' || name === 'title') return first;
  if (canonicalJson(first) === canonicalJson(next)) return first;
  if (name === 'required' && Array.isArray(first) && Array.isArray(next)) {
    return [...new Set([...first, ...next])];
  }
  if (name !== 'properties' || !isJsonObject(first) || !isJsonObject(next)) return undefined;
  const clash = Object.keys(next).some(
    (key) => Object.hasOwn(first, key) && canonicalJson(first[key]) !== canonicalJson(next[key]),
  );
  return clash ? undefined : { ...first, ...next };
}
