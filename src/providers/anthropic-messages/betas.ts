// Owns the header `anthropic-beta`: the betas of the row, of the request and of the config's own headers, each once.

const HEADER = 'anthropic-beta';

/** The headers with all betas in one of them; the config's own list is extended, not replaced. */
export function withBetas(
  headers: Readonly<Record<string, string>>,
  ...lists: readonly (readonly string[])[]
): Record<string, string> {
  const { [HEADER]: own = '', ...rest } = headers;
  const names = [...lists.flat(), ...own.split(',')].map((name) => name.trim()).filter((name) => name !== '');
  return names.length > 0 ? { ...rest, [HEADER]: [...new Set(names)].join(',') } : rest;
}
