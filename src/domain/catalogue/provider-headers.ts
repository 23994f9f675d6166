// Owns which request headers a provider config may add to each call of its provider.
import type { InputCheck } from '../../kernel/input-check.ts';
import type { JsonObject } from '../../kernel/json.ts';

const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$/;
/** These headers control the message or its connection: a value from a caller would make every call fail. */
const HEADERS_OF_THE_CONNECTION = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]{0,4000}$/;

export function checkHeaders(check: InputCheck, headers: JsonObject | null | undefined): void {
  if (headers == null || !check.json('headers', headers)) return;
  for (const [name, value] of Object.entries(headers)) {
    if (!HEADER_NAME.test(name)) check.add(`headers.${name.slice(0, 64)}`, 'is no name of a header');
    else if (HEADERS_OF_THE_CONNECTION.has(name.toLowerCase())) {
      check.add(
        `headers.${name}`,
        'is set by the gateway itself, for each request and connection; leave it out',
      );
    } else if (typeof value !== 'string' || !HEADER_VALUE.test(value)) {
      check.add(`headers.${name}`, 'must be text of at most 4000 characters on one line');
    }
  }
}
