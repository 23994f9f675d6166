import { serverAudits } from 'graphql-http';
import { beforeAll, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../../support/app.ts';

let app: TestApp;

/** The audit of https://github.com/graphql/graphql-http, with a key; each of its checks is a test of its own. */
const audits = serverAudits({
  url: () => `${app.url}/graphql`,
  fetchFn: (url: string, init: RequestInit = {}) =>
    fetch(url, {
      ...init,
      headers: { ...(init.headers as object), authorization: `Bearer ${app.adminKey}` },
    }),
});

describe('GraphQL over HTTP', () => {
  beforeAll(async () => {
    app = await startTestApp('embedded');
  });

  test('GraphQL over HTTP is audited by sixty checks at least', () => {
    expect(audits.length).toBeGreaterThanOrEqual(60);
  });

  test.each(audits.map((audit) => [audit.name, audit] as const))(
    'GraphQL over HTTP: %s',
    async (_name, audit) => {
      const result = await audit.fn();
      expect(result.status === 'ok' ? 'ok' : result.reason).toBe('ok');
    },
  );
});
