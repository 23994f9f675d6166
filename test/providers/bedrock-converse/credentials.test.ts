// Holds how a request to Bedrock is signed: each form of credential, and a signature that is made again here from AWS's own description.

import { createHash, createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { Secret } from '../../../src/kernel/secret.ts';
import { createBedrockConverseAdapter } from '../../../src/providers/bedrock-converse/adapter.ts';
import type { ProviderTarget } from '../../../src/providers/contract/target.ts';
import type { ReceivedRequest } from '../../support/fake-upstream.ts';
import {
  collectParts,
  dependenciesOn,
  NO_WAY_OUT,
  providerRequest,
  providerTarget,
  startProvider,
  userMessage,
} from '../../support/provider-calls.ts';
import { jsonReply, metadata, START, stop, streamReply } from './answers.ts';

const KEY_ID = 'AKIAEXAMPLEEXAMPLE01';
const SECRET_KEY = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';
const NOW = new Date('2026-11-20T10:20:30.456Z');
const clock = { now: () => NOW, monotonicMs: () => 0 };

async function sent(
  over: Partial<ProviderTarget>,
  modelKey = 'us.amazon.nova-micro-v1:0',
): Promise<ReceivedRequest> {
  await using provider = await startProvider(streamReply([START, stop('end_turn'), metadata()]));
  const adapter = createBedrockConverseAdapter({ ...provider, clock });
  const target = providerTarget({
    auth: { type: 'aws' },
    settings: { region: 'eu-west-1' },
    ...over,
    baseUrl: provider.upstream.url,
  });
  const model = { key: modelKey, reasoning: false };
  const { fault } = await collectParts(
    adapter,
    providerRequest({ target, model, messages: [userMessage('Grüß')] }),
  );
  expect(fault).toBeUndefined();
  return provider.upstream.requests[0] as ReceivedRequest;
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html, step by step. */
function signatureOf({ method, path, headers, body }: ReceivedRequest, region: string): string {
  const hash = (text: string) => createHash('sha256').update(text).digest('hex');
  const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
  const signedNames = /SignedHeaders=([^,]+)/.exec(headers.authorization ?? '')?.[1] ?? '';
  const [rawPath = '', query = ''] = path.split('?');
  const canonical = [
    method,
    rawPath.split('/').map(encodeURIComponent).join('/'),
    query.split('&').toSorted().join('&'),
    ...signedNames.split(';').map((name) => `${name}:${headers[name]}`),
    '',
    signedNames,
    hash(body),
  ].join('\n');
  const date = headers['x-amz-date'] ?? '';
  const scope = `${date.slice(0, 8)}/${region}/bedrock/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', date, scope, hash(canonical)].join('\n');
  const key = scope
    .split('/')
    .reduce<string | Buffer>((above, part) => hmac(above, part), `AWS4${SECRET_KEY}`);
  return hmac(key, toSign).toString('hex');
}

describe('signatures', () => {
  test.each([
    'us.amazon.nova-micro-v1:0',
    'arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.m-v1:0',
  ])('a Bedrock signature for the model %s encodes the path twice and covers the body', async (modelKey) => {
    const request = await sent({ secret: new Secret(`${KEY_ID}:${SECRET_KEY}`) }, modelKey);
    expect(request.path).toContain('%3A');
    expect(request.headers['x-amz-date']).toBe('20261120T102030Z');
    expect(request.headers.authorization).toBe(
      `AWS4-HMAC-SHA256 Credential=${KEY_ID}/20261120/eu-west-1/bedrock/aws4_request, ` +
        'SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date, ' +
        `Signature=${signatureOf(request, 'eu-west-1')}`,
    );
  });

  test('a Bedrock signature covers a session token and the query, and takes the region from the host where the settings have none', async () => {
    const session = await sent({ secret: new Secret(`${KEY_ID}:${SECRET_KEY}:token/1=`) });
    expect(session.headers['x-amz-security-token']).toBe('token/1=');
    expect(session.headers.authorization).toContain('x-amz-security-token');
    expect(session.headers.authorization).toContain(signatureOf(session, 'eu-west-1'));

    await using provider = await startProvider((_request, index) =>
      jsonReply(index === 0 ? { modelSummaries: [] } : { inferenceProfileSummaries: [] }),
    );
    const target = providerTarget({
      auth: { type: 'aws' },
      secret: new Secret(
        JSON.stringify({ accessKeyId: KEY_ID, secretAccessKey: SECRET_KEY, sessionToken: 't2' }),
      ),
      settings: { region: 'us-east-2' },
      baseUrl: provider.upstream.url,
      headers: { 'X-Team': new Secret('t') },
    });
    await createBedrockConverseAdapter({ ...provider, clock }).models?.list(target, {
      signal: new AbortController().signal,
    });
    const list = provider.upstream.requests[1] as ReceivedRequest;
    expect(list.path).toBe('/inference-profiles?maxResults=1000');
    expect(list.headers).toMatchObject({ 'x-amz-security-token': 't2', 'x-team': 't' });
    expect(list.headers.authorization).toContain(signatureOf(list, 'us-east-2'));
  });
});

describe('credentials without a signature', () => {
  test('Bedrock API keys travel as bearer tokens', async () => {
    const byAws = await sent({ secret: new Secret('bedrock-api-key-YWJj=='), settings: {} });
    expect(byAws.headers.authorization).toBe('Bearer bedrock-api-key-YWJj==');
    expect(byAws.headers).not.toHaveProperty('x-amz-date');
    const byHeader = await sent({
      auth: { type: 'header', header: 'Authorization', prefix: 'Bearer ', optional: false },
      secret: new Secret('ABSKexample'),
    });
    expect(byHeader.headers.authorization).toBe('Bearer ABSKexample');
  });

  test.each([
    ['no secret', undefined, { region: 'eu-west-1' }, 'PROVIDER_AUTHENTICATION'],
    [
      'JSON without a key',
      new Secret('{"accessKeyId":"AKIA"}'),
      { region: 'eu-west-1' },
      'PROVIDER_AUTHENTICATION',
    ],
    ['no region', new Secret(`${KEY_ID}:${SECRET_KEY}`), {}, 'PROVIDER_INVALID_REQUEST'],
  ])('a credential of Bedrock fails before any call: %s', async (_name, secret, settings, code) => {
    const adapter = createBedrockConverseAdapter(dependenciesOn(NO_WAY_OUT));
    const { secret: _none, ...bare } = providerTarget({ auth: { type: 'aws' }, settings });
    const target = { ...bare, ...(secret ? { secret } : {}) };
    const { fault } = await collectParts(adapter, providerRequest({ target }));
    expect(fault).toMatchObject({ code });
    expect(fault?.message).not.toContain('AKIA');
  });
});

describe('the hosts of AWS', () => {
  test.each([
    ['https://bedrock-runtime.us-east-1.amazonaws.com', 'us-east-1', 'bedrock.us-east-1.amazonaws.com'],
    [
      'https://bedrock-runtime-fips.us-gov-west-1.amazonaws.com',
      'us-gov-west-1',
      'bedrock-fips.us-gov-west-1.amazonaws.com',
    ],
    [
      'https://vpce-1a.bedrock-runtime.eu-west-1.vpce.amazonaws.com',
      'eu-west-1',
      'vpce-1a.bedrock.eu-west-1.vpce.amazonaws.com',
    ],
  ])('the AWS host %s is in %s, its lists are at %s', async (baseUrl, region, listHost) => {
    const seen: { url: string; authorization: string | undefined }[] = [];
    const adapter = createBedrockConverseAdapter({
      ...dependenciesOn({
        send: async ({ url, headers }) => {
          seen.push({ url, authorization: headers.authorization });
          throw new Error('far enough');
        },
        close: async () => {},
      }),
      clock,
    });
    const target = providerTarget({
      auth: { type: 'aws' },
      secret: new Secret(`${KEY_ID}:${SECRET_KEY}`),
      baseUrl,
    });
    await expect(adapter.models?.list(target, { signal: new AbortController().signal })).rejects.toThrow(
      'far enough',
    );
    expect(seen).toEqual([
      {
        url: `https://${listHost}/foundation-models`,
        authorization: expect.stringContaining(`/${region}/bedrock/`),
      },
    ]);
  });
});
