import { describe, expect, test } from 'vitest';
import {
  type BoundSpec,
  destinationOf,
  mayBeSent,
  requireDestination,
} from '../../../src/domain/catalogue/secret-destination.ts';
import type { JsonObject } from '../../../src/kernel/json.ts';

const spec = (over: object = {}) =>
  ({
    baseUrl: 'https://api.example/v1',
    settingsSchema: {},
    protocol: 'openai-chat',
    auth: { type: 'header', header: 'authorization' },
    workspaceId: null,
    ...over,
  }) as unknown as BoundSpec;
const config = (over: object = {}) =>
  ({ name: 'mine', settings: {} as JsonObject, baseUrl: null, ...over }) as Parameters<
    typeof requireDestination
  >[0];
const destination = (own: object = {}, provider: object = {}) => destinationOf(config(own), spec(provider));

describe('where a secret would be sent', () => {
  test('a destination holds every origin of the address and of the settings, at any depth, once', () => {
    const settings = {
      proxy: 'https://proxy.example:8443/x',
      nested: [{ again: 'HTTPS://api.example/other' }, ' http://a.example'],
      words: 'see https://nowhere.example',
      number: 1,
      nothing: null,
    };
    expect(destination({ settings }).origins).toEqual([
      'http://a.example',
      'https://api.example',
      'https://proxy.example:8443',
    ]);
  });

  test.each([
    [{}, {}, true],
    [{ baseUrl: 'https://own.example' }, {}, false],
    [{}, { workspaceId: 'w' }, false],
  ])(
    'whether the config %j at the provider %j is called at the installation’s word is %s',
    (own, provider, expected) => {
      expect(destination(own, provider).byInstallation).toBe(expected);
    },
  );

  test('a config without a provider, or without a setting of its address, leads nowhere', () => {
    expect(destinationOf(config(), undefined)).toMatchObject({ origins: [], byInstallation: false });
    expect(destination({}, { baseUrl: 'https://{region}.example' }).origins).toEqual([]);
  });
});

describe('whether a secret may be sent', () => {
  const own = { baseUrl: 'https://own.example' };

  test.each<[string, object, object, object, object, boolean]>([
    ['the same address', own, {}, own, {}, true],
    ['another path of the address', own, {}, { baseUrl: 'https://own.example/v2' }, {}, true],
    ['another host', own, {}, { baseUrl: 'https://evil.example' }, {}, false],
    ['another port', own, {}, { baseUrl: 'https://own.example:444' }, {}, false],
    ['the same host in plain text', own, {}, { baseUrl: 'http://own.example' }, {}, false],
    [
      'a further origin in the settings',
      own,
      {},
      { ...own, settings: { proxy: 'https://evil.example' } },
      {},
      false,
    ],
    ['another protocol', own, {}, own, { protocol: 'gemini' }, false],
    ['another way to sign in', own, {}, own, { auth: { type: 'query' } }, false],
    [
      'the same way to sign in, written in another order',
      own,
      {},
      own,
      { auth: { header: 'authorization', type: 'header' } },
      true,
    ],
    ['a row that the installation moved', {}, {}, {}, { baseUrl: 'https://moved.example' }, true],
    [
      'a row of a workspace in place of the installation’s',
      {},
      {},
      {},
      { baseUrl: 'https://evil.example', workspaceId: 'w' },
      false,
    ],
  ])(
    'a secret goes to %s only if that is what it was given for',
    (_what, before, providerBefore, after, providerAfter, expected) => {
      expect(mayBeSent(destination(before, providerBefore), destination(after, providerAfter))).toBe(
        expected,
      );
    },
  );

  test('a secret that nobody has bound yet may be sent', () => {
    expect(mayBeSent(null, destination())).toBe(true);
  });

  test.each(['secret', 'headers'] as const)(
    'a stored %s bound to another address is refused before a call, and named',
    (what) => {
      const bound = { ...destination(own), byInstallation: false };
      const holder = config({ [what]: {}, [`${what}Destination`]: bound });
      expect(() => requireDestination(holder, spec())).toThrow(
        expect.objectContaining({ code: 'MODEL_UNAVAILABLE', message: expect.stringContaining(what) }),
      );
      requireDestination(config({ [`${what}Destination`]: bound }), spec());
    },
  );
});
