// Owns the settings of a GigaChat provider config beside address and credential.
import { z } from 'zod';
import { ProviderError } from '../../kernel/errors.ts';
import type { ProviderTarget } from '../contract/target.ts';

const settingsSchema = z.object({
  /** `oauth`: the secret is the authorization key. `password`: for an own installation of GigaChat; the secret is `user:password`. */
  auth: z.enum(['oauth', 'password']).default('oauth'),
  oauthUrl: z.url({ protocol: /^https?$/ }).default('https://ngw.devices.sberbank.ru:9443/api/v2/oauth'),
  scope: z.string().min(1).default('GIGACHAT_API_PERS'),
  /** Further certificates to trust, since the root of the service's chain is in none of the usual bundles. */
  caPem: z.string().min(1).optional(),
});

export type GigaChatSettings = z.output<typeof settingsSchema>;

export function settingsOf(target: ProviderTarget): GigaChatSettings {
  const result = settingsSchema.safeParse(target.settings);
  if (result.success) return result.data;
  throw new ProviderError(
    'PROVIDER_INVALID_REQUEST',
    `Settings of gigachat: ${z.prettifyError(result.error)}`,
    { cause: result.error },
  );
}
