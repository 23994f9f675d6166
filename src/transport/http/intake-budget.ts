// Owns how many bytes of unfinished requests a node holds at once, over all connections, so that together they cannot exhaust its memory.

/** The first bytes of each request are not counted, so that a few large uploads never keep small requests out. */
const FREE_BYTES = 65_536;

export class IntakeBudget {
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Opens the account of one connection or request; call `release` to give its bytes back. */
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

  /** False if the node would hold too much with these bytes: the request must then be refused, and its share released. */
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
