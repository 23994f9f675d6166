// Owns the proof that an API has answered a health check, and not a web page or a server that lacks the call.
import { ProviderError } from '../../kernel/errors.ts';
import { parseJson } from '../../kernel/json.ts';
import type { UpstreamResponse } from '../contract/http.ts';

const LACKING = new Set([404, 405, 501]);

/** Raises `PROVIDER_PROTOCOL` unless an answer that succeeded is JSON. */
export function requireJson(text: string, url: string): void {
  if (parseJson(text) === undefined) throw noApi(url);
}

/** True for a web page: whatever status it has, no API has sent it. */
export function isPage({ headers }: Pick<UpstreamResponse, 'headers'>): boolean {
  return /^\s*(text\/html|application\/xhtml)/i.test(headers['content-type'] ?? '');
}

/** True if the server does not have the path or call that was asked for, such as a list of its models. */
export function isLacking(error: unknown): boolean {
  return error instanceof ProviderError && LACKING.has(error.status ?? 0);
}

export function noApi(url: string): ProviderError {
  const { host, pathname } = new URL(url);
  return new ProviderError(
    'PROVIDER_PROTOCOL',
    `${host}${pathname} answered with a page or other text that is not JSON, so this is not the address of the API; check the base URL`,
    { phase: 'headers' },
  );
}
