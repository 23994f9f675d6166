// Owns the reading of `GET /v1/models`, page by page.
import { isJsonObject, type JsonValue } from '../../kernel/json.ts';
import type { ListedModel } from '../contract/models.ts';
import { protocolFault } from '../shared/answer-faults.ts';
import { ModelList } from '../shared/model-list.ts';
import { modelPageSchema } from './wire.ts';

const PAGE_SIZE = 1000;
const MAX_PAGES = 100;

/** `fetchPage` gets the query and gives the body of an answer that succeeded. */
export async function listModels(fetchPage: (query: string) => Promise<string>): Promise<ListedModel[]> {
  const models = new ModelList<ListedModel>();
  let after: string | undefined;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const query = `?limit=${PAGE_SIZE}${after === undefined ? '' : `&after_id=${encodeURIComponent(after)}`}`;
    const result = modelPageSchema.safeParse(models.parse(await fetchPage(query)));
    if (!result.success) throw protocolFault('The list of models is not one.', result.error);
    const { data, has_more, last_id } = result.data;
    models.add(data.map(toListedModel));
    if (!has_more || !last_id || last_id === after) return models.entries;
    after = last_id;
  }
  throw protocolFault(`The list of models has more than ${MAX_PAGES} pages.`);
}

type WireModel = ReturnType<typeof modelPageSchema.parse>['data'][number];

function toListedModel(model: WireModel): ListedModel {
  const { id, display_name, max_input_tokens, max_tokens } = model;
  const capabilities = capabilitiesOf(model.capabilities);
  const modalities = isSupported(model.capabilities, 'image_input') ? ['text', 'image'] : undefined;
  return {
    key: id,
    ...(display_name ? { displayName: display_name } : {}),
    ...(max_input_tokens ? { contextLength: max_input_tokens } : {}),
    ...(max_tokens ? { maxOutputTokens: max_tokens } : {}),
    ...(modalities ? { inputModalities: modalities, outputModalities: ['text'] } : {}),
    ...(capabilities ? { capabilities } : {}),
  };
}

/** The list does not name tools as a capability, because every model has them. */
function capabilitiesOf(told: JsonValue | undefined): string[] | undefined {
  if (!isJsonObject(told)) return undefined;
  const capabilities = ['tools'];
  if (isSupported(told, 'structured_outputs')) capabilities.push('json-schema');
  if (isSupported(told, 'thinking')) capabilities.push('reasoning');
  return capabilities;
}

function isSupported(told: JsonValue | undefined, name: string): boolean {
  const entry = isJsonObject(told) ? told[name] : undefined;
  return isJsonObject(entry) && entry.supported === true;
}
