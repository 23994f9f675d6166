// Owns the model list of the compatible family, with the facts that some servers tell beside the id.

import { ProviderError } from '../../kernel/errors.ts';
import { isJsonObject, type JsonObject, parseJson } from '../../kernel/json.ts';
import type { UpstreamHttp, UpstreamRequest } from '../contract/http.ts';
import type { ListedModel } from '../contract/models.ts';
import type { ProviderTarget } from '../contract/target.ts';
import { authHeaders, connectionOf } from '../shared/credentials.ts';
import { checkByGet } from './check.ts';
import { quirksOf } from './quirks.ts';

export async function listModels(
  http: UpstreamHttp,
  target: ProviderTarget,
  signal: AbortSignal,
): Promise<ListedModel[]> {
  const { modelsPath } = quirksOf(target);
  if (modelsPath === null) {
    throw new ProviderError(
      'CAPABILITY_MISSING',
      `The provider ${target.providerKey} has no list of its models.`,
    );
  }
  return decodeModels(await checkByGet(http, target, getOf(target, modelsPath, signal)));
}

/** A GET of a path under the base URL, e.g. of the list. */
export function getOf(target: ProviderTarget, path: string, signal: AbortSignal): UpstreamRequest {
  return {
    method: 'GET',
    url: `${target.baseUrl}${path}`,
    headers: { accept: 'application/json', ...authHeaders(target) },
    signal,
    ...connectionOf(target),
  };
}

/** Reads `{ data: [...] }`, a bare array (Together) or `{ models: [...] }`. */
export function decodeModels(body: string): ListedModel[] {
  const json = parseJson(body);
  const list = Array.isArray(json) ? json : isJsonObject(json) ? (json.data ?? json.models) : undefined;
  if (!Array.isArray(list)) {
    throw new ProviderError(
      'PROVIDER_PROTOCOL',
      'The provider answered with a text that is not a list of models.',
      {
        phase: 'stream',
      },
    );
  }
  return list.filter(isJsonObject).flatMap(decodeModel);
}

function decodeModel(model: JsonObject): ListedModel[] {
  const key = firstText(model.id, model.name);
  // Groq also lists models that are switched off.
  if (key === undefined || model.active === false) return [];
  const architecture = isJsonObject(model.architecture) ? model.architecture : {};
  const provider = isJsonObject(model.top_provider) ? model.top_provider : {};
  const listed: { -readonly [name in keyof ListedModel]: ListedModel[name] } = { key };
  const displayName = firstText(model.display_name, model.name);
  if (displayName !== undefined && displayName !== key) listed.displayName = displayName;
  listed.contextLength = firstCount(
    model.context_length,
    model.context_window,
    model.max_context_length,
    model.max_model_len,
    provider.context_length,
  );
  listed.maxOutputTokens = firstCount(
    model.max_completion_tokens,
    model.max_output_tokens,
    provider.max_completion_tokens,
  );
  listed.inputModalities = texts(architecture.input_modalities ?? model.input_modalities);
  listed.outputModalities = texts(architecture.output_modalities ?? model.output_modalities);
  listed.capabilities = capabilitiesOf(model);
  return [listed];
}

/** OpenRouter lists names of parameters, Mistral flags; the names are kept unchanged. */
function capabilitiesOf(model: JsonObject): readonly string[] | undefined {
  const { capabilities, supported_parameters } = model;
  if (isJsonObject(capabilities)) {
    return Object.keys(capabilities).filter((name) => capabilities[name] === true);
  }
  return texts(capabilities ?? supported_parameters);
}

function firstText(...values: unknown[]): string | undefined {
  return values.find((value): value is string => typeof value === 'string' && value !== '');
}

function firstCount(...values: unknown[]): number | undefined {
  return values.find((value): value is number => typeof value === 'number' && value > 0);
}

function texts(value: unknown): string[] | undefined {
  return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : undefined;
}
