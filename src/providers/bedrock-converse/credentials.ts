// Owns the reading of an AWS credential as it is kept in one secret: an access key with its secret, or a Bedrock API key.
import { z } from 'zod';
import { ProviderError } from '../../kernel/errors.ts';
import { parseJson } from '../../kernel/json.ts';
import type { ProviderTarget } from '../contract/target.ts';

export type AwsCredential =
  | { readonly type: 'bearer'; readonly key: string }
  | {
      readonly type: 'access-key';
      readonly accessKeyId: string;
      readonly secretAccessKey: string;
      readonly sessionToken?: string;
    };

const accessKeySchema = z.object({
  accessKeyId: z.string().min(1),
  secretAccessKey: z.string().min(1),
  sessionToken: z.string().min(1).optional(),
});

/** `accessKeyId:secretAccessKey[:sessionToken]`; a Bedrock API key has no colon. */
const ACCESS_KEY_TEXT = /^(\w{16,128}):([^:\s]+)(?::([^:\s]+))?$/;

export function awsCredential({ secret, providerKey }: ProviderTarget): AwsCredential {
  const text = secret?.reveal().trim() ?? '';
  if (text === '') {
    throw new ProviderError('PROVIDER_AUTHENTICATION', `The provider ${providerKey} needs a credential.`);
  }
  if (text.startsWith('{')) return fromJson(text);
  const match = ACCESS_KEY_TEXT.exec(text);
  if (!match) return { type: 'bearer', key: text };
  const [, accessKeyId = '', secretAccessKey = '', sessionToken] = match;
  return { type: 'access-key', accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) };
}

function fromJson(text: string): AwsCredential {
  const result = accessKeySchema.safeParse(parseJson(text));
  if (!result.success) {
    throw new ProviderError(
      'PROVIDER_AUTHENTICATION',
      'An AWS credential in JSON needs accessKeyId and secretAccessKey.',
    );
  }
  const { sessionToken, ...key } = result.data;
  return { type: 'access-key', ...key, ...(sessionToken ? { sessionToken } : {}) };
}
