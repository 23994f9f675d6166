// Owns the listing of the models that a Gemini API key can see.

import type { UpstreamHttp } from '../contract/http.ts';
import type { ListedModel } from '../contract/models.ts';
import type { CallOptions, ProviderTarget } from '../contract/target.ts';
import { protocolFault } from '../shared/answer-faults.ts';
import { authHeaders, connectionOf } from '../shared/credentials.ts';
import { ModelList } from '../shared/model-list.ts';
import { faultOfAnswer } from './errors.ts';
import { modelListSchema } from './wire.ts';

const MAX_PAGE_SIZE = 1000;
const MAX_PAGES = 50;
/** Capabilities that each Gemini model has that thinks. */
const THINKING_CAPABILITIES = ['tools', 'json', 'json-schema', 'reasoning'];

export async function listModels(
  http: UpstreamHttp,
  target: ProviderTarget,
  options: CallOptions,
  { pageSize, pages }: { readonly pageSize: number; readonly pages: number } = {
    pageSize: MAX_PAGE_SIZE,
    pages: MAX_PAGES,
  },
): Promise<ListedModel[]> {
  const models = new ModelList<ListedModel>();
  let pageToken: string | undefined;
  for (let page = 0; page < pages; page += 1) {
    const query = new URLSearchParams({ pageSize: String(pageSize), ...(pageToken ? { pageToken } : {}) });
    const list = await readPage(http, target, query, options, models);
    models.add((list.models ?? []).map(toListedModel));
    pageToken = list.nextPageToken;
    if (!pageToken) return models.entries;
  }
  if (pages === MAX_PAGES)
    throw protocolFault(`Gemini's list of models does not end after ${MAX_PAGES} pages.`);
  return models.entries;
}

async function readPage(
  http: UpstreamHttp,
  target: ProviderTarget,
  query: URLSearchParams,
  { signal }: CallOptions,
  models: ModelList<ListedModel>,
): Promise<ReturnType<typeof modelListSchema.parse>> {
  const response = await http.send({
    method: 'GET',
    url: `${target.baseUrl}/models?${query}`,
    headers: authHeaders(target),
    signal,
    ...connectionOf(target),
  });
  if (response.status < 200 || response.status >= 300) throw await faultOfAnswer(response, target.secret);
  const result = modelListSchema.safeParse(models.parse(await response.text()));
  if (!result.success)
    throw protocolFault('Gemini answered with something other than a list of models.', result.error);
  return result.data;
}

type WireModel = NonNullable<ReturnType<typeof modelListSchema.parse>['models']>[number];

/** `capabilities` is left out for models that may lack any of them, so that the catalogue's knowledge holds. */
function toListedModel(model: WireModel): ListedModel {
  const methods = model.supportedGenerationMethods;
  const key = model.name.replace(/^models\//, '');
  return {
    key,
    ...(model.displayName === undefined ? {} : { displayName: model.displayName }),
    ...(model.inputTokenLimit ? { contextLength: model.inputTokenLimit } : {}),
    ...(model.outputTokenLimit ? { maxOutputTokens: model.outputTokenLimit } : {}),
    ...(methods?.includes('embedContent') ? { outputModalities: ['embedding'] } : {}),
    ...(methods?.includes('generateContent') && model.thinking
      ? { capabilities: THINKING_CAPABILITIES }
      : {}),
  };
}
