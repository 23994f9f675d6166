// Owns where a body is cut when it is served: not at all, at every byte, and once at each of many places.

export interface Serving {
  /** For the report: `whole`, `every byte`, `200 cuts`, `cut at 17`. */
  readonly name: string;
  readonly pieces: readonly Buffer[];
}

/** Up to this length a body is also served byte by byte; a longer one in as many pieces as `places` gives. */
const EVERY_BYTE_LIMIT = 6_000;
/** Up to so many times `places` a body is cut once at each of its bytes; a longer one at `places` of them. */
const SHORT_FACTOR = 5;

export function servings(body: Buffer, places: number, random: () => number): Serving[] {
  const inner = Math.max(0, body.length - 1);
  const chosen = inner <= places * SHORT_FACTOR ? range(1, inner) : sample(inner, places, random);
  const all =
    body.length <= EVERY_BYTE_LIMIT
      ? { name: 'every byte', pieces: cutAt(body, range(1, inner)) }
      : { name: `${chosen.length} cuts`, pieces: cutAt(body, chosen) };
  return [
    { name: 'whole', pieces: [body] },
    all,
    ...chosen.map((place) => ({ name: `cut at ${place}`, pieces: cutAt(body, [place]) })),
  ];
}

function cutAt(body: Buffer, places: readonly number[]): Buffer[] {
  const edges = [0, ...places, body.length];
  return edges.slice(1).map((end, index) => body.subarray(edges[index], end));
}

function range(first: number, last: number): number[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
}

function sample(inner: number, count: number, random: () => number): number[] {
  const places = new Set<number>();
  while (places.size < count) places.add(1 + Math.floor(random() * inner));
  return [...places].sort((a, b) => a - b);
}

/** Numbers in [0, 1) that depend on the seed only (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
