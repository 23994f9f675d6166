import { expect, test } from 'vitest';
import { baseUrlOf } from '../../../src/domain/catalogue/provider-address.ts';
import type { JsonObject } from '../../../src/kernel/json.ts';

const config = (over: { baseUrl?: string | null; settings?: JsonObject } = {}) => ({
  name: 'mine',
  settings: {},
  ...over,
});
const spec = (baseUrl: string | null, properties: JsonObject = {}) => ({
  baseUrl,
  settingsSchema: { properties },
});

test.each([
  [config(), spec('https://a.example/v1'), 'https://a.example/v1'],
  [config(), spec('https://a.example/v1//'), 'https://a.example/v1'],
  [config({ baseUrl: 'https://own.example/' }), spec('https://a.example/v1'), 'https://own.example'],
  [
    config({ settings: { region: 'eu' } }),
    spec('https://{region}.example/{region}'),
    'https://eu.example/eu',
  ],
  [config(), spec('https://{region}.example', { region: { default: 'us' } }), 'https://us.example'],
  [
    config({ settings: { region: 'eu' } }),
    spec('https://{region}.example', { region: { default: 'us' } }),
    'https://eu.example',
  ],
  [config({ settings: { port: 8080 } }), spec('http://localhost:{port}'), 'http://localhost:8080'],
  [config(), spec(null), ''],
])('the address of the config %j at the provider %j is %s', (own, provider, expected) => {
  expect(baseUrlOf(own, provider)).toBe(expected);
});

test.each(['evil.example/', 'a@evil.example', '?x=', '#', '..', 'a/b'])(
  'a setting of %j leads to no other host, and brings no query of its own',
  (region) => {
    const url = URL.parse(
      baseUrlOf(config({ settings: { region } }), spec('https://a.example/{region}/v1')),
    )!;
    expect(url.host).toBe('a.example');
    expect([url.username, url.search, url.hash]).toEqual(['', '', '']);
  },
);

test.each<JsonObject>([{}, { region: null }, { region: true }, { region: ['eu'] }])(
  'the settings %j lack what the address needs',
  (settings) => {
    expect(() => baseUrlOf(config({ settings }), spec('https://{region}.example'))).toThrow(
      expect.objectContaining({ code: 'MODEL_UNAVAILABLE' }),
    );
  },
);
