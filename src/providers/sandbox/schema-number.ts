// Owns making a number that a JSON Schema accepts: 1 where it may be, else the nearest to a bound.
import type { JsonObject } from '../../kernel/json.ts';
import { unmetByNumber } from './schema-check.ts';

const MAX_TRIES = 1000;

/** Another number for another variant; `undefined` where none was found. */
export function numberOf(schema: JsonObject, whole: boolean, variant: number): number | undefined {
  const fits = (value: number) =>
    Number.isFinite(value) &&
    (!whole || Number.isInteger(value)) &&
    unmetByNumber(schema, value) === undefined;
  let found = 0;
  const seen = new Set<number>();
  for (const value of candidates(schema, whole)) {
    // A JSON text has no negative zero.
    const number = value + 0;
    if (seen.has(number) || !fits(number)) continue;
    seen.add(number);
    if (found === variant) return number;
    found += 1;
  }
  return undefined;
}

function* candidates(schema: JsonObject, whole: boolean): Generator<number> {
  const lows = [schema.minimum, schema.exclusiveMinimum].filter((bound) => typeof bound === 'number');
  const highs = [schema.maximum, schema.exclusiveMaximum].filter((bound) => typeof bound === 'number');
  const low = lows.length > 0 ? Math.max(...lows) : undefined;
  const high = highs.length > 0 ? Math.min(...highs) : undefined;
  const step = typeof schema.multipleOf === 'number' ? schema.multipleOf : whole ? 1 : undefined;
  yield 1;
  if (step !== undefined) return yield* multiples(step, low, high);
  for (let place = 0; place <= MAX_TRIES; place += 1) {
    if (low !== undefined && high !== undefined) yield low + ((high - low) * (place + 1)) / (MAX_TRIES + 2);
    if (low !== undefined) yield low + place;
    if (high !== undefined) yield high - place;
    if (low === undefined && high === undefined) yield place + 1;
  }
}

/** From the bound that there is into the range; without a bound from the first above zero. */
function* multiples(step: number, low?: number, high?: number): Generator<number> {
  if (low === undefined && high !== undefined && high < step) {
    const last = Math.floor(high / step);
    for (let place = 0; place <= MAX_TRIES; place += 1) yield (last - place) * step;
    return;
  }
  const first = Math.max(
    low === undefined ? 1 : Math.ceil(low / step),
    low !== undefined && low <= step ? 1 : -Infinity,
  );
  const begin = Number.isFinite(first) ? first : 1;
  for (let place = 0; place <= MAX_TRIES; place += 1) yield (begin + place) * step;
  if (low !== undefined)
    for (let place = 0; place <= MAX_TRIES; place += 1) yield (Math.ceil(low / step) + place) * step;
}
