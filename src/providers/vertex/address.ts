// Owns the address of a model of Vertex AI: on the location's own host, within a project or, in express mode, without one.
import { z } from 'zod';
import { ProviderError } from '../../kernel/errors.ts';
import type { ProviderTarget } from '../contract/target.ts';

/** The host of the location `global`. A row with it means that the host follows from the location. */
export const VERTEX_HOST = 'https://aiplatform.googleapis.com';

/** These settings become parts of a host and a path, so only the characters that Google uses are allowed. */
const settingsSchema = z.object({
  project: z
    .string()
    .regex(/^[a-z0-9.:-]{1,100}$/i)
    .optional(),
  location: z
    .string()
    .regex(/^[a-z0-9-]{1,40}$/)
    .default('global'),
});

export type VertexSettings = z.output<typeof settingsSchema>;

export interface VertexModel {
  readonly apiVersion: string;
  readonly publisher: string;
  readonly modelKey: string;
  readonly method: string;
}

export function vertexSettings({ settings, providerKey }: ProviderTarget): VertexSettings {
  const result = settingsSchema.safeParse(settings);
  if (result.success) return result.data;
  throw new ProviderError(
    'PROVIDER_INVALID_REQUEST',
    `The settings of the provider ${providerKey} are not valid: ${z.prettifyError(result.error)}`,
  );
}

/** A base URL that already names a publisher is a complete address, e.g. of a proxy. */
export function vertexModelUrl(
  target: ProviderTarget,
  { apiVersion, publisher, modelKey, method }: VertexModel,
): string {
  // A version follows an `@`, which may stand unencoded in a path.
  const model = `models/${encodeURIComponent(modelKey).replaceAll('%40', '@')}:${method}`;
  if (target.baseUrl.includes('/publishers/')) return `${target.baseUrl}/${model}`;
  const { project, location } = vertexSettings(target);
  const origin =
    target.baseUrl === VERTEX_HOST ? hostOf(project === undefined ? 'global' : location) : target.baseUrl;
  const owner = project === undefined ? '' : `/projects/${project}/locations/${location}`;
  return `${origin}/${apiVersion}${owner}/publishers/${publisher}/${model}`;
}

/** https://cloud.google.com/vertex-ai/generative-ai/docs/learn/locations */
function hostOf(location: string): string {
  if (location === 'global') return VERTEX_HOST;
  if (location === 'us' || location === 'eu') return `https://aiplatform.${location}.rep.googleapis.com`;
  return `https://${location}-aiplatform.googleapis.com`;
}
