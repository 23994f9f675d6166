// Owns the forms in which providers say how long to wait: seconds, dates, Go durations, and the resets of rate limits.
import type { UpstreamResponse } from '../contract/http.ts';

type Headers = UpstreamResponse['headers'];

const RESET_HEADER = /^(?:x-|anthropic-)?ratelimit-(?:.+-)?reset(?:-.+)?$/;
const GO_DURATION = /^(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h|d))+$/;
const GO_DURATION_PART = /(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h|d)/g;
const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** How long the provider asks to wait; `undefined` if it does not say. */
export function retryAfterMs(headers: Headers, nowMs: number): number | undefined {
  // Azure sends `retry-after-ms: 0` beside `retry-after: 1`.
  const exact = Number(headers['retry-after-ms'] ?? Number.NaN);
  if (exact > 0) return Math.ceil(exact);
  const after = headers['retry-after'];
  return (after === undefined ? undefined : waitOf(after, nowMs)) ?? resetOfTightestLimit(headers, nowMs);
}

/** Milliseconds until a moment that is given as seconds, a Go duration, an epoch time or a date. */
export function waitOf(text: string, nowMs: number): number | undefined {
  const value = text.trim();
  const seconds = Number(value);
  if (value !== '' && Number.isFinite(seconds)) {
    if (seconds >= 1e11) return untilMs(seconds, nowMs);
    if (seconds >= 1e9) return untilMs(seconds * 1000, nowMs);
    return Math.max(0, Math.ceil(seconds * 1000));
  }
  if (GO_DURATION.test(value)) return goDurationMs(value);
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : untilMs(date, nowMs);
}

function untilMs(momentMs: number, nowMs: number): number {
  return Math.max(0, Math.ceil(momentMs - nowMs));
}

function goDurationMs(text: string): number {
  let ms = 0;
  for (const [, amount, unit = ''] of text.matchAll(GO_DURATION_PART)) {
    ms += Number(amount) * (UNIT_MS[unit] ?? 0);
  }
  return Math.ceil(ms);
}

/** A provider names several limits at once; the one with the least left is the one that was exceeded. */
function resetOfTightestLimit(headers: Headers, nowMs: number): number | undefined {
  let tightest: { readonly left: number; readonly waitMs: number } | undefined;
  for (const name in headers) {
    if (!RESET_HEADER.test(name)) continue;
    const waitMs = waitOf(headers[name] ?? '', nowMs);
    if (waitMs === undefined) continue;
    const left = shareLeft(headers, name);
    if (!tightest || left < tightest.left || (left === tightest.left && waitMs > tightest.waitMs)) {
      tightest = { left, waitMs };
    }
  }
  return tightest?.waitMs;
}

function shareLeft(headers: Headers, resetName: string): number {
  const remaining = Number(headers[resetName.replace('reset', 'remaining')] ?? Number.NaN);
  const limit = Number(headers[resetName.replace('reset', 'limit')] ?? Number.NaN);
  if (remaining === 0) return 0;
  return remaining >= 0 && limit > 0 ? remaining / limit : 1;
}
