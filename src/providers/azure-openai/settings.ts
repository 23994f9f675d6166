// Owns the settings of an Azure config: one of three surfaces, its API version, and how the credential is sent.
import { z } from 'zod';
import { ProviderError } from '../../kernel/errors.ts';
import type { ProviderTarget } from '../contract/target.ts';

/** Other settings of the row (resource name, CA bundle) are read elsewhere. */
const settingsSchema = z.object({
  /**
   * `v1` is `/openai/v1`, where the model is named in the body; `deployments` is `/openai/deployments/<model>`; `models` is the endpoint
   * of Azure AI Foundry. By default the base URL tells, and a given API version means `deployments`.
   */
  surface: z.enum(['v1', 'deployments', 'models']).optional(),
  /** `api-version` of the query; optional on `v1`. */
  apiVersion: z.string().min(1).optional(),
  /** `bearer` sends the secret as an Entra ID token. */
  credential: z.enum(['api-key', 'bearer']).optional(),
});

export type Surface = 'v1' | 'deployments' | 'models';

export interface AzureEndpoint {
  readonly surface: Surface;
  /** The resource's address, without the path of a surface. */
  readonly root: string;
  readonly apiVersion: string | undefined;
  readonly bearer: boolean;
}

const SURFACE_PATHS = ['/openai/v1', '/openai/deployments', '/openai', '/models'] as const;

const DEFAULT_API_VERSIONS: Readonly<Record<Surface, string | undefined>> = {
  v1: undefined,
  deployments: '2024-10-21',
  models: '2024-05-01-preview',
};

export function endpointOf({ baseUrl, settings }: ProviderTarget): AzureEndpoint {
  const read = settingsSchema.safeParse(settings);
  if (!read.success) {
    throw new ProviderError(
      'PROVIDER_INVALID_REQUEST',
      `Settings of azure-openai: ${z.prettifyError(read.error)}`,
    );
  }
  const { surface: chosen, apiVersion, credential } = read.data;
  const path = SURFACE_PATHS.find((candidate) => baseUrl.endsWith(candidate));
  const surface = chosen ?? surfaceOf(path, apiVersion);
  return {
    surface,
    root: path ? baseUrl.slice(0, -path.length) : baseUrl,
    apiVersion: apiVersion ?? DEFAULT_API_VERSIONS[surface],
    bearer: credential === 'bearer',
  };
}

function surfaceOf(path: string | undefined, apiVersion: string | undefined): Surface {
  if (path === '/models') return 'models';
  if (path === '/openai/v1') return 'v1';
  return path === '/openai/deployments' || apiVersion !== undefined ? 'deployments' : 'v1';
}

export function completionsUrl(endpoint: AzureEndpoint, deployment: string): string {
  switch (endpoint.surface) {
    case 'v1':
      return urlOf(endpoint, '/openai/v1/chat/completions');
    case 'deployments':
      return urlOf(endpoint, `/openai/deployments/${encodeURIComponent(deployment)}/chat/completions`);
    case 'models':
      return urlOf(endpoint, '/models/chat/completions');
  }
}

/** The resource's catalogue: it names the models that could be deployed, so it proves a credential but lists no model that can be called. */
export function catalogueUrl(endpoint: AzureEndpoint): string {
  return urlOf(endpoint, endpoint.surface === 'v1' ? '/openai/v1/models' : '/openai/models');
}

function urlOf({ root, apiVersion }: AzureEndpoint, path: string): string {
  const query = apiVersion === undefined ? '' : `?api-version=${encodeURIComponent(apiVersion)}`;
  return `${root}${path}${query}`;
}
