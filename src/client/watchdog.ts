// Owns the client's patience with a connection that says nothing: networks lose connections without a word to either side.

export class Watchdog {
  readonly #bark: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(bark: () => void) {
    this.#bark = bark;
  }

  /** Barks unless it is told of something else within `ms`. */
  expect(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#bark, ms);
  }

  rest(): void {
    clearTimeout(this.#timer);
  }
}
