// Owns how many bytes of unfinished requests a node holds at once, over all connections: together they must not exhaust its memory.

/** Small requests are not counted, so that a few large uploads never keep them out. */
const FREE_BYTES = 65_536;

export class IntakeBudget {
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** What one connection or one request holds; give it back by `release`. */
  openShare(): IntakeShare {
    return new IntakeShare((change) => {
      this.#bytes += change;
      return this.#bytes <= this.#maxBytes;
    });
  }
}

class IntakeShare {
  readonly #count: (change: number) => boolean;
  #received = 0;

  constructor(count: (change: number) => boolean) {
    this.#count = count;
  }

  /** False if the node holds too much with these bytes: the request must be refused, and its share released. */
  add(bytes: number): boolean {
    return this.#set(this.#received + bytes);
  }

  release(bytes = this.#received): void {
    this.#set(Math.max(0, this.#received - bytes));
  }

  #set(received: number): boolean {
    const before = Math.max(0, this.#received - FREE_BYTES);
    const after = Math.max(0, received - FREE_BYTES);
    this.#received = received;
    const fits = after === before || this.#count(after - before);
    return fits || after === 0;
  }
}
