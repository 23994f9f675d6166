// Holds what each refusal of Bedrock becomes, and how its models are listed and its credentials checked.
import { describe, expect, test } from 'vitest';
import { Secret } from '../../../src/kernel/secret.ts';
import { createBedrockConverseAdapter } from '../../../src/providers/bedrock-converse/adapter.ts';
import type { ProviderTarget } from '../../../src/providers/contract/target.ts';
import type { Answer, Reply } from '../../support/fake-upstream.ts';
import {
  collectParts,
  providerRequest,
  providerTarget,
  startProvider,
} from '../../support/provider-calls.ts';
import { jsonReply } from './answers.ts';

const { signal } = new AbortController();

function errorReply(status: number, type: string, message: string, body: object = { message }): Reply {
  return jsonReply(body, {
    status,
    headers: {
      'content-type': 'application/json',
      'x-amzn-requestid': 'req-1',
      ...(type ? { 'x-amzn-errortype': `${type}:http://internal.amazon.com/coral/com.amazon.bedrock/` } : {}),
    },
  });
}

async function faultOf(reply: Reply) {
  await using provider = await startProvider(reply);
  const request = providerRequest({ target: providerTarget({ baseUrl: provider.upstream.url }) });
  const { fault } = await collectParts(createBedrockConverseAdapter(provider), request);
  return fault;
}

async function withAdapter<T>(
  answer: Answer | Reply,
  use: (
    adapter: ReturnType<typeof createBedrockConverseAdapter>,
    target: ProviderTarget,
    paths: () => string[],
  ) => Promise<T>,
): Promise<T> {
  await using provider = await startProvider(answer);
  const paths = () => provider.upstream.requests.map(({ method, path }) => `${method} ${path}`);
  const target = providerTarget({ baseUrl: provider.upstream.url });
  return await use(createBedrockConverseAdapter(provider), target, paths);
}

describe('errors', () => {
  test.each([
    [400, 'ValidationException', 'maxTokens is too big', 'PROVIDER_INVALID_REQUEST', false],
    [400, 'ValidationException', 'The provided model identifier is invalid.', 'MODEL_UNAVAILABLE', false],
    [
      400,
      'ValidationException',
      'Invocation of model ID m with on-demand throughput isn’t supported.',
      'MODEL_UNAVAILABLE',
      false,
    ],
    [400, 'ValidationException', 'Input is too long for requested model.', 'CONTEXT_LENGTH_EXCEEDED', false],
    [
      400,
      'ValidationException',
      'prompt is too long: 9 tokens > 8 maximum',
      'CONTEXT_LENGTH_EXCEEDED',
      false,
    ],
    [400, 'ServiceQuotaExceededException', 'Too many tokens per day.', 'PROVIDER_RATE_LIMITED', false],
    [
      403,
      'AccessDeniedException',
      "You don't have access to the model with the specified model ID.",
      'MODEL_UNAVAILABLE',
      false,
    ],
    [
      403,
      'AccessDeniedException',
      'Authentication failed: Please make sure your API Key is valid.',
      'PROVIDER_AUTHENTICATION',
      false,
    ],
    [403, 'UnrecognizedClientException', 'The security token is invalid.', 'PROVIDER_AUTHENTICATION', false],
    [403, 'InvalidSignatureException', 'Signature expired.', 'PROVIDER_AUTHENTICATION', false],
    [400, 'IncompleteSignatureException', 'Odd.', 'PROVIDER_AUTHENTICATION', false],
    [404, 'ResourceNotFoundException', 'Gone.', 'MODEL_UNAVAILABLE', false],
    [408, 'ModelTimeoutException', 'Late.', 'PROVIDER_TIMEOUT', true],
    [424, 'ModelErrorException', 'Broken.', 'PROVIDER_UNAVAILABLE', true],
    [429, 'ThrottlingException', 'Too many requests.', 'PROVIDER_RATE_LIMITED', true],
    [429, 'ModelNotReadyException', 'Loading.', 'PROVIDER_UNAVAILABLE', true],
    [500, 'InternalServerException', 'Oops.', 'PROVIDER_UNAVAILABLE', true],
    [503, 'ServiceUnavailableException', 'Busy.', 'PROVIDER_UNAVAILABLE', true],
  ])('a Bedrock error with %i %s "%s" is %s', async (status, type, message, code, transient) => {
    expect(await faultOf(errorReply(status, type, message))).toMatchObject({
      code,
      message,
      status,
      transient,
      providerCode: type,
      providerRequestId: 'req-1',
      phase: 'headers',
    });
  });

  test('a Bedrock error is read with a capital Message, by the type in its body, and without either', async () => {
    const named = { __type: 'com.amazon.coral.service#UnrecognizedClientException', Message: 'Who?' };
    expect(await faultOf(errorReply(403, '', '', named))).toMatchObject({
      code: 'PROVIDER_AUTHENTICATION',
      message: 'Who?',
      providerCode: 'UnrecognizedClientException',
    });
    const bare = await faultOf({ status: 502, body: '<html><title>Bad gateway</title></html>' });
    expect(bare).toMatchObject({ code: 'PROVIDER_UNAVAILABLE', message: 'Bad gateway' });
    expect(await faultOf({ status: 302, headers: { location: '/x' }, body: '' })).toMatchObject({
      code: 'PROVIDER_UNAVAILABLE',
    });
  });
});

describe('the list of models', () => {
  const foundation = jsonReply({
    modelSummaries: [
      {
        modelId: 'amazon.nova-lite-v1:0',
        modelArn: 'arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0',
        modelName: 'Nova Lite',
        inputModalities: ['TEXT', 'IMAGE'],
        outputModalities: ['TEXT'],
        inferenceTypesSupported: ['ON_DEMAND', 'INFERENCE_PROFILE'],
      },
      {
        modelId: 'anthropic.claude-x',
        modelArn: 'arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-x',
        inputModalities: ['TEXT'],
        inferenceTypesSupported: ['INFERENCE_PROFILE'],
      },
    ],
  });
  const profiles = [
    jsonReply({
      inferenceProfileSummaries: [
        {
          inferenceProfileId: 'us.anthropic.claude-x',
          inferenceProfileName: 'US Claude X',
          models: [{ modelArn: 'arn:aws:bedrock:us-west-2::foundation-model/anthropic.claude-x' }],
          status: 'ACTIVE',
          type: 'SYSTEM_DEFINED',
        },
      ],
      nextToken: 'a/b',
    }),
    jsonReply({
      inferenceProfileSummaries: [
        {
          inferenceProfileId: 'abc',
          inferenceProfileArn: 'arn:aws:bedrock:us-east-1:1:application-inference-profile/abc',
          type: 'APPLICATION',
        },
        { inferenceProfileId: 'old', status: 'DELETED' },
      ],
    }),
  ];

  test('the Bedrock list of models gives what is called by id, and the profiles, over all pages', async () => {
    await withAdapter(
      (_request, index) => [foundation, ...profiles][index] ?? { status: 500, body: '' },
      async (adapter, target, paths) => {
        expect(await adapter.models?.list(target, { signal })).toEqual([
          {
            key: 'amazon.nova-lite-v1:0',
            displayName: 'Nova Lite',
            inputModalities: ['text', 'image'],
            outputModalities: ['text'],
          },
          { key: 'us.anthropic.claude-x', displayName: 'US Claude X', inputModalities: ['text'] },
          { key: 'arn:aws:bedrock:us-east-1:1:application-inference-profile/abc' },
        ]);
        expect(paths()).toEqual([
          'GET /foundation-models',
          'GET /inference-profiles?maxResults=1000',
          'GET /inference-profiles?maxResults=1000&nextToken=a%2Fb',
        ]);
      },
    );
  });

  test('the Bedrock list of models is refused where it is no list, or without end', async () => {
    await withAdapter(jsonReply({}), async (adapter, target) => {
      await expect(adapter.models?.list(target, { signal })).rejects.toMatchObject({
        code: 'PROVIDER_PROTOCOL',
      });
    });
    await withAdapter(
      (_request, index) => (index === 0 ? foundation : jsonReply({})),
      async (adapter, target) => {
        await expect(adapter.models?.list(target, { signal })).rejects.toMatchObject({
          code: 'PROVIDER_PROTOCOL',
        });
      },
    );
    const endless = jsonReply({ inferenceProfileSummaries: [], nextToken: 'x' });
    await withAdapter(
      (_request, index) => (index === 0 ? foundation : endless),
      async (adapter, target) => {
        await expect(adapter.models?.list(target, { signal })).rejects.toMatchObject({
          code: 'PROVIDER_PROTOCOL',
        });
      },
    );
  });
});

describe('checks', () => {
  test.each([
    [
      'a model that is not there',
      errorReply(400, 'ValidationException', 'The provided model identifier is invalid.'),
    ],
    [
      'a policy for other models',
      errorReply(403, 'AccessDeniedException', 'User: x is not authorized to perform: bedrock:InvokeModel'),
    ],
    ['an answer', jsonReply({})],
  ])('a Bedrock check takes %s as proof of the credential', async (_name, reply) => {
    await withAdapter(reply, async (adapter, target, paths) => {
      await adapter.health.check(target, { signal });
      expect(paths()).toEqual(['POST /model/modelgraph.check/converse']);
    });
  });

  test.each([
    [
      errorReply(403, 'UnrecognizedClientException', 'The security token is invalid.'),
      'PROVIDER_AUTHENTICATION',
    ],
    [errorReply(400, 'IncompleteSignatureException', 'Odd.'), 'PROVIDER_AUTHENTICATION'],
    [errorReply(503, 'ServiceUnavailableException', 'Busy.'), 'PROVIDER_UNAVAILABLE'],
  ])('a Bedrock check raises what it is told: %#', async (reply, code) => {
    await withAdapter(reply, async (adapter, target) => {
      await expect(adapter.health.check(target, { signal })).rejects.toMatchObject({ code });
    });
  });

  test('a Bedrock check raises what is wrong before the call', async () => {
    await withAdapter(jsonReply({}), async (adapter, target) => {
      const unread = { ...target, auth: { type: 'aws' } as const, secret: new Secret('{}') };
      await expect(adapter.health.check(unread, { signal })).rejects.toMatchObject({
        code: 'PROVIDER_AUTHENTICATION',
      });
    });
  });
});
