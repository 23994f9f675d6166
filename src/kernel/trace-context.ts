// Owns the trace context of a caller's request, as W3C defines it: which trace the request belongs to, read strictly and never guessed.
//
// Source: https://www.w3.org/TR/trace-context/

export interface TraceContext {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits: the caller's span, which ours are children of. */
  readonly parentId: string;
  /** Two hexadecimal digits, as they came. */
  readonly flags: string;
  /** Whether the caller records the trace. */
  readonly isSampled: boolean;
  /** The entries that systems on the way have added (`tracestate`), in the order in which they came; absent where there were none, or they were malformed. */
  readonly state?: string;
}

/** Version, trace, parent and flags; a version later than 00 may have more fields behind them. */
const TRACE_PARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const NO_VERSION = 'ff';
const FIRST_VERSION = '00';
const ZEROS = /^0+$/;
const SAMPLED = 0x01;
const MAX_MEMBERS = 32;
const KEY = /^(?:[a-z0-9][a-z0-9_*/-]{0,255}|[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13})$/;
/** Printable characters but "," and "="; no blank at the end. */
const VALUE = /^[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/** `undefined` where the header is absent or breaks the standard: the request then belongs to no trace. */
export function parseTraceContext(parent: unknown, state?: unknown): TraceContext | undefined {
  if (typeof parent !== 'string') return undefined;
  const [, version, traceId = '', parentId = '', flags = '', more] = TRACE_PARENT.exec(parent) ?? [];
  if (version === undefined || version === NO_VERSION) return undefined;
  if (version === FIRST_VERSION && more !== undefined) return undefined;
  if (ZEROS.test(traceId) || ZEROS.test(parentId)) return undefined;
  const isSampled = (Number.parseInt(flags, 16) & SAMPLED) === SAMPLED;
  const members = parseState(state);
  return { traceId, parentId, flags, isSampled, ...(members === undefined ? {} : { state: members }) };
}

/** One malformed member voids the whole state: nothing tells which of the other members are right. */
function parseState(state: unknown): string | undefined {
  if (typeof state !== 'string') return undefined;
  const members = state
    .split(',')
    .map((member) => member.replace(/^[ \t]+|[ \t]+$/g, ''))
    .filter((member) => member !== '');
  if (members.length === 0 || members.length > MAX_MEMBERS) return undefined;
  const keys = new Set<string>();
  for (const member of members) {
    const at = member.indexOf('=');
    const key = member.slice(0, Math.max(0, at));
    if (!KEY.test(key) || !VALUE.test(member.slice(at + 1)) || keys.has(key)) return undefined;
    keys.add(key);
  }
  return members.join(',');
}
