// Owns a cache that is bounded by the weight of its entries: the entries that were used the longest ago are dropped first.

interface BoundedCacheOptions {
  readonly maxWeight: number;
  /** A heavier entry is not kept at all. */
  readonly maxEntryWeight: number;
}

interface Entry<Value> {
  readonly value: Value;
  readonly weight: number;
}

export class BoundedCache<Value> {
  readonly #options: BoundedCacheOptions;
  /** In the order of their last use. */
  readonly #entries = new Map<string, Entry<Value>>();
  #weight = 0;

  constructor(options: BoundedCacheOptions) {
    this.#options = options;
  }

  get weight(): number {
    return this.#weight;
  }

  get(key: string): Value | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  set(key: string, value: Value, weight: number): void {
    this.delete(key);
    if (weight > this.#options.maxEntryWeight) return;
    this.#entries.set(key, { value, weight });
    this.#weight += weight;
    for (const [oldest] of this.#entries) {
      if (this.#weight <= this.#options.maxWeight) break;
      this.delete(oldest);
    }
  }

  delete(key: string): boolean {
    this.#weight -= this.#entries.get(key)?.weight ?? 0;
    return this.#entries.delete(key);
  }
}
