// Owns how a provider config becomes request headers, for the schemes that need no token exchange.
import { ProviderError } from '../../kernel/errors.ts';
import type { UpstreamRequest } from '../contract/http.ts';
import type { ProviderTarget } from '../contract/target.ts';

/** The headers of the credential and of the config, under lower-case names; the config's own win. */
export function authHeaders(target: ProviderTarget): Record<string, string> {
  const headers = credentialHeaders(target);
  for (const [name, value] of Object.entries(target.headers)) headers[name.toLowerCase()] = value.reveal();
  return headers;
}

function credentialHeaders({ auth, secret, providerKey }: ProviderTarget): Record<string, string> {
  switch (auth.type) {
    case 'none':
      return {};
    case 'header': {
      const text = secret?.reveal() ?? '';
      if (text !== '') return { [auth.header.toLowerCase()]: `${auth.prefix}${text}` };
      if (auth.optional) return {};
      throw new ProviderError('PROVIDER_AUTHENTICATION', `The provider ${providerKey} needs a credential.`);
    }
    default:
      throw new ProviderError(
        'PROVIDER_INVALID_REQUEST',
        `This protocol cannot sign in by the scheme "${auth.type}" of the provider ${providerKey}.`,
      );
  }
}

/** How to connect: the time limit, and the certificates that the config trusts in addition to the system's. */
export function connectionOf({
  connectTimeoutMs,
  settings,
}: ProviderTarget): Pick<UpstreamRequest, 'connectTimeoutMs' | 'caPem'> {
  const { caPem } = settings;
  return typeof caPem === 'string' && caPem !== '' ? { connectTimeoutMs, caPem } : { connectTimeoutMs };
}
