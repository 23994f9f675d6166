// Owns where Bedrock is called: region, control plane, and the inference profile that some models need.
import { ProviderError } from '../../kernel/errors.ts';
import type { ProviderTarget } from '../contract/target.ts';
import type { BedrockQuirks } from './quirks-schema.ts';

/** `bedrock-runtime.us-east-1.amazonaws.com`, `bedrock-runtime-fips.…`, `vpce-….bedrock-runtime.eu-west-1.vpce.amazonaws.com`. */
const REGION_IN_HOST = /(?:^|\.)bedrock(?:-runtime)?(?:-fips)?\.([a-z0-9-]+)\./;

export function regionOf({ settings, baseUrl }: ProviderTarget): string {
  const { region } = settings;
  if (typeof region === 'string' && region !== '') return region;
  const named = REGION_IN_HOST.exec(new URL(baseUrl).hostname)?.[1];
  if (named !== undefined) return named;
  throw new ProviderError(
    'PROVIDER_INVALID_REQUEST',
    "The AWS region is neither in the config's settings nor in its base URL.",
  );
}

/** Lists of models live beside the runtime, on a host of their own. */
export function controlPlaneUrl({ baseUrl }: ProviderTarget): string {
  return baseUrl.replace(/^(https?:\/\/(?:[^/]+\.)?bedrock)-runtime((?:-fips)?\.)/, '$1$2');
}

/** AWS regions by the geography of their inference profiles. */
const GEOGRAPHIES: readonly (readonly [region: RegExp, names: readonly string[]])[] = [
  [/^us-gov-/, ['us-gov']],
  [/^us-/, ['us']],
  [/^ca-/, ['ca', 'us']],
  [/^eu-/, ['eu']],
  [/^ap-northeast-[13]$/, ['jp', 'apac']],
  [/^ap-southeast-[24]$/, ['au', 'apac']],
  [/^ap-/, ['apac']],
];

export function invokedModel(
  target: ProviderTarget,
  modelKey: string,
  { inferenceProfiles }: BedrockQuirks,
): string {
  if (inferenceProfiles.length === 0 || modelKey.startsWith('arn:')) return modelKey;
  if (inferenceProfiles.some((name) => modelKey.startsWith(`${name}.`))) return modelKey;
  const { inferenceProfile } = target.settings;
  if (typeof inferenceProfile === 'string' && inferenceProfile !== '')
    return `${inferenceProfile}.${modelKey}`;
  const region = regionOf(target);
  const near = GEOGRAPHIES.find(([pattern]) => pattern.test(region))?.[1] ?? [];
  const chosen = [...near, 'global'].find((name) => inferenceProfiles.includes(name));
  return chosen === undefined ? modelKey : `${chosen}.${modelKey}`;
}
