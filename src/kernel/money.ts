// Owns money: integers of nano-dollars, and their decimal text.

/** Nano-dollars: 1 USD = 1,000,000,000. */
export type Nano = bigint;

const NANO_PER_USD = 1_000_000_000n;
const USD_TEXT = /^(-)?(\d{1,12})(?:\.(\d{1,9}))?$/;

/** The exact decimal text of an amount, without trailing zeros: `0.00125`. */
export function formatUsd(amount: Nano): string {
  const sign = amount < 0n ? '-' : '';
  const absolute = amount < 0n ? -amount : amount;
  const fraction = (absolute % NANO_PER_USD).toString().padStart(9, '0').replace(/0+$/, '');
  return `${sign}${absolute / NANO_PER_USD}${fraction ? `.${fraction}` : ''}`;
}

/** Reads decimal text with up to nine places; `undefined` if it is not such text. */
export function parseUsd(text: string): Nano | undefined {
  const match = USD_TEXT.exec(text);
  if (!match) return undefined;
  const [, sign, whole = '0', fraction = ''] = match;
  const amount = BigInt(whole) * NANO_PER_USD + BigInt(fraction.padEnd(9, '0'));
  return sign ? -amount : amount;
}

/** What `tokens` cost at a price in nano-dollars per million tokens, rounded half up. */
export function priceOfTokens(tokens: number, nanoPerMillion: Nano): Nano {
  return (BigInt(tokens) * nanoPerMillion + 500_000n) / 1_000_000n;
}
