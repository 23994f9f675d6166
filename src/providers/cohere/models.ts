// Owns the listing of the chat models that a Cohere key can see.

import type { UpstreamHttp } from '../contract/http.ts';
import type { ListedModel } from '../contract/models.ts';
import type { CallOptions, ProviderTarget } from '../contract/target.ts';
import { protocolFault } from '../shared/answer-faults.ts';
import { authHeaders, connectionOf } from '../shared/credentials.ts';
import { ModelList } from '../shared/model-list.ts';
import { faultOfAnswer } from './errors.ts';
import { type CohereModelList, modelListSchema } from './wire.ts';

const MAX_PAGE_SIZE = 1000;
const MAX_PAGES = 50;

/** Cohere's name of a feature, and the catalogue's. */
const CAPABILITIES: Readonly<Record<string, readonly string[]>> = {
  tools: ['tools'],
  json_mode: ['json'],
  json_schema: ['json-schema'],
  reasoning: ['reasoning'],
};

/** Chat is in version 2 of the API and the list in version 1, so a base URL may name either of them, or none. */
export function rootOf({ baseUrl }: ProviderTarget): string {
  return baseUrl.replace(/\/v[12]$/, '');
}

export async function listModels(
  http: UpstreamHttp,
  target: ProviderTarget,
  options: CallOptions,
  { pageSize, pages } = { pageSize: MAX_PAGE_SIZE, pages: MAX_PAGES },
): Promise<ListedModel[]> {
  const models = new ModelList<ListedModel>();
  let pageToken: string | null | undefined;
  for (let page = 0; page < pages; page += 1) {
    const query = new URLSearchParams({
      page_size: String(pageSize),
      ...(pageToken ? { page_token: pageToken } : {}),
    });
    const list = await readPage(http, target, query, options, models);
    models.add(list.models.filter(({ is_deprecated }) => !is_deprecated).map(toListedModel));
    pageToken = list.next_page_token;
    if (!pageToken) return models.entries;
  }
  if (pages === MAX_PAGES)
    throw protocolFault(`Cohere's list of models does not end after ${MAX_PAGES} pages.`);
  return models.entries;
}

async function readPage(
  http: UpstreamHttp,
  target: ProviderTarget,
  query: URLSearchParams,
  { signal }: CallOptions,
  models: ModelList<ListedModel>,
): Promise<CohereModelList> {
  const response = await http.send({
    method: 'GET',
    url: `${rootOf(target)}/v1/models?${query}`,
    headers: authHeaders(target),
    signal,
    ...connectionOf(target),
  });
  if (response.status < 200 || response.status >= 300) throw await faultOfAnswer(response, target.secret);
  const result = modelListSchema.safeParse(models.parse(await response.text()));
  if (!result.success)
    throw protocolFault('Cohere answered with something other than a list of models.', result.error);
  return result.data;
}

function toListedModel({
  name,
  endpoints,
  context_length,
  features,
}: CohereModelList['models'][number]): ListedModel {
  const chats = endpoints?.includes('chat') ?? false;
  const capabilities = (features ?? []).flatMap((feature) => CAPABILITIES[feature] ?? []);
  return {
    key: name,
    ...(context_length ? { contextLength: context_length } : {}),
    ...(chats ? { inputModalities: features?.includes('vision') ? ['text', 'image'] : ['text'] } : {}),
    ...(chats ? { outputModalities: ['text'] } : {}),
    ...(endpoints?.includes('embed') ? { outputModalities: ['embedding'] } : {}),
    ...(capabilities.length > 0 ? { capabilities } : {}),
  };
}
