import { expect, test } from 'vitest';
import { Secret } from '../../../src/kernel/secret.ts';
import { authHeaders, connectionOf } from '../../../src/providers/shared/credentials.ts';
import { providerTarget } from '../../support/provider-calls.ts';

const BEARER = { type: 'header', header: 'Authorization', prefix: 'Bearer ', optional: false } as const;

test('the credential of a request travels in the named header, behind its prefix', () => {
  const target = providerTarget({ auth: BEARER, secret: new Secret('sk-1') });
  expect(authHeaders(target)).toEqual({ authorization: 'Bearer sk-1' });
});

test('headers of the config are added to a request, and win', () => {
  const headers = { 'X-Title': new Secret('app'), Authorization: new Secret('Custom 1') };
  expect(authHeaders(providerTarget({ auth: BEARER, secret: new Secret('sk-1'), headers }))).toEqual({
    'x-title': 'app',
    authorization: 'Custom 1',
  });
});

test('a config without a scheme, or with an optional one and no credential, sends no credential', () => {
  expect(authHeaders(providerTarget({ auth: { type: 'none' } }))).toEqual({});
  const { secret: _secret, ...open } = providerTarget({ auth: { ...BEARER, optional: true } });
  expect(authHeaders(open)).toEqual({});
});

test('a missing credential that is needed is PROVIDER_AUTHENTICATION', () => {
  const { secret: _secret, ...bare } = providerTarget({ auth: BEARER });
  expect(() => authHeaders(bare)).toThrow(expect.objectContaining({ code: 'PROVIDER_AUTHENTICATION' }));
});

test.each(['aws', 'gigachat', 'google'] as const)(
  'the authentication scheme %s is for adapters of its own',
  (type) => {
    expect(() => authHeaders(providerTarget({ auth: { type } }))).toThrow(
      expect.objectContaining({ code: 'PROVIDER_INVALID_REQUEST' }),
    );
  },
);

test('a CA bundle in the settings goes along with the request', () => {
  expect(connectionOf(providerTarget({ connectTimeoutMs: 7 }))).toEqual({ connectTimeoutMs: 7 });
  const settings = { caPem: 'PEM' };
  expect(connectionOf(providerTarget({ connectTimeoutMs: 7, settings }))).toEqual({
    connectTimeoutMs: 7,
    caPem: 'PEM',
  });
});
