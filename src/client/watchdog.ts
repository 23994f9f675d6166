// Owns the client's time limit for silent connections: a network may lose a connection without telling either side.

export class Watchdog {
  readonly #bark: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(bark: () => void) {
    this.#bark = bark;
  }

  /** Calls `bark` after `ms` milliseconds, unless `expect` or `rest` is called before. */
  expect(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#bark, ms);
  }

  rest(): void {
    clearTimeout(this.#timer);
  }
}
