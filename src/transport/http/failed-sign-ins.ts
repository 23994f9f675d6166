// Owns the count of failed sign-ins by address, which slows guessing down and bounds what it costs the database and the check of signatures.
import { isIPv6 } from 'node:net';

const WINDOW_MS = 60_000;
/** Bound for an address that is over its limit: this many unknown tokens a second are verified; more are refused, even if they are good. */
const TOKENS_PER_SECOND = 20;
const MAX_ADDRESSES = 10_000;

interface Failures {
  readonly endsMs: number;
  count: number;
  secondEndsMs: number;
  inSecond: number;
}

export class FailedSignIns {
  readonly #perMinute: number;
  readonly #nowMs: () => number;
  /** Networks in the order of their first failure. */
  readonly #byNetwork = new Map<string, Failures>();

  /** `perMinute`: 0 sets no limit. */
  constructor(perMinute: number, nowMs: () => number = Date.now) {
    this.#perMinute = perMinute;
    this.#nowMs = nowMs;
  }

  get none(): boolean {
    return this.#byNetwork.size === 0;
  }

  /** Counts a failure. Gives for how long, in milliseconds, the address is now over its limit; 0 if it is not. */
  add(address: string): number {
    if (this.#perMinute === 0) return 0;
    const now = this.#nowMs();
    const network = networkOf(address);
    const failures = this.#of(network) ?? { endsMs: now + WINDOW_MS, count: 0, secondEndsMs: 0, inSecond: 0 };
    failures.count += 1;
    if (failures.secondEndsMs <= now) Object.assign(failures, { secondEndsMs: now + 1_000, inSecond: 0 });
    failures.inSecond += 1;
    this.#byNetwork.set(network, failures);
    for (const [oldest] of this.#byNetwork) {
      if (this.#byNetwork.size <= MAX_ADDRESSES) break;
      this.#byNetwork.delete(oldest);
    }
    return failures.count > this.#perMinute ? failures.endsMs - now : 0;
  }

  isOver(address: string): boolean {
    return (this.#of(networkOf(address))?.count ?? 0) > this.#perMinute;
  }

  /** True if one more token from an address over its limit may be verified now. */
  mayVerify(address: string): boolean {
    const failures = this.#of(networkOf(address));
    return !failures || failures.secondEndsMs <= this.#nowMs() || failures.inSecond < TOKENS_PER_SECOND;
  }

  #of(network: string): Failures | undefined {
    const failures = this.#byNetwork.get(network);
    if (!failures || failures.endsMs > this.#nowMs()) return failures;
    this.#byNetwork.delete(network);
    return undefined;
  }
}

/** One client may have 2^64 IPv6 addresses, so they are counted as one network. */
function networkOf(address: string): string {
  if (!isIPv6(address) || address.startsWith('::ffff:')) return address;
  const [head = '', tail = ''] = address.split('::');
  const heads = head.split(':');
  if (!address.includes('::')) return heads.slice(0, 4).join(':');
  const zeros = 8 - heads.length - (tail === '' ? 0 : tail.split(':').length);
  return [...heads, ...Array<string>(Math.max(0, zeros)).fill('0'), ...tail.split(':')].slice(0, 4).join(':');
}
