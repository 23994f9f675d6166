// Owns the listing of the models that an Ollama server holds, with the facts that it tells of each.
import { parseJson } from '../../kernel/json.ts';
import type { UpstreamHttp, UpstreamResponse } from '../contract/http.ts';
import type { ListedModel } from '../contract/models.ts';
import type { CallOptions, ProviderTarget } from '../contract/target.ts';
import { protocolFault } from '../shared/answer-faults.ts';
import { authHeaders, connectionOf } from '../shared/credentials.ts';
import { checkListLength } from '../shared/model-list.ts';
import { faultOfAnswer } from './errors.ts';
import { type OllamaShow, showSchema, tagsSchema, versionSchema } from './wire.ts';

/** How many models are asked about at once, since the server is often a person's own machine. */
const SHOWN_AT_ONCE = 4;

/** Ollama's name of a capability, and the catalogue's; every model that completes text can be held to a schema. */
const CAPABILITIES: Readonly<Record<string, readonly string[]>> = {
  completion: ['json', 'json-schema'],
  tools: ['tools'],
  thinking: ['reasoning'],
};

/** The address of a call. The base URL may end in `/api` or not, as the row of Ollama Cloud does. */
export function apiUrl({ baseUrl }: ProviderTarget, call: string): string {
  return `${baseUrl.replace(/\/api$/, '')}/api/${call}`;
}

export async function checkVersion(
  http: UpstreamHttp,
  target: ProviderTarget,
  options: CallOptions,
): Promise<void> {
  const json = await readJson(await ask(http, target, 'version', options), target);
  if (!versionSchema.safeParse(json).success)
    throw protocolFault('The server does not answer as Ollama does.');
}

export async function listModels(
  http: UpstreamHttp,
  target: ProviderTarget,
  options: CallOptions,
): Promise<ListedModel[]> {
  const result = tagsSchema.safeParse(await readJson(await ask(http, target, 'tags', options), target));
  if (!result.success)
    throw protocolFault('Ollama answered with something other than a list of models.', result.error);
  const names = (result.data.models ?? []).map(({ name }) => name);
  checkListLength(names.length);
  const models: ListedModel[] = [];
  for (let at = 0; at < names.length; at += SHOWN_AT_ONCE) {
    const batch = names.slice(at, at + SHOWN_AT_ONCE);
    models.push(...(await Promise.all(batch.map((name) => describe(http, target, name, options)))));
  }
  return models;
}

/** If the server knows nothing of a model, its name alone is listed. If the server fails, the whole list fails, so that no partial list is stored. */
async function describe(
  http: UpstreamHttp,
  target: ProviderTarget,
  name: string,
  options: CallOptions,
): Promise<ListedModel> {
  const response = await ask(http, target, 'show', options, JSON.stringify({ model: name }));
  if (response.status === 404 || response.status === 405) {
    await response.text();
    return { key: name };
  }
  const result = showSchema.safeParse(await readJson(response, target));
  return { key: name, ...(result.success ? toDetails(result.data) : {}) };
}

function toDetails({ capabilities, model_info }: OllamaShow): Omit<ListedModel, 'key'> {
  const contextLength = Object.entries(model_info ?? {}).find(([key]) =>
    key.endsWith('.context_length'),
  )?.[1];
  const known = capabilities ?? [];
  const chats = known.includes('completion');
  const named = known.flatMap((name) => CAPABILITIES[name] ?? []);
  return {
    ...(typeof contextLength === 'number' ? { contextLength } : {}),
    ...(chats ? { inputModalities: known.includes('vision') ? ['text', 'image'] : ['text'] } : {}),
    ...(chats
      ? { outputModalities: ['text'] }
      : known.includes('embedding')
        ? { outputModalities: ['embedding'] }
        : {}),
    ...(named.length > 0 ? { capabilities: named } : {}),
  };
}

function ask(
  http: UpstreamHttp,
  target: ProviderTarget,
  call: string,
  { signal }: CallOptions,
  body?: string,
): Promise<UpstreamResponse> {
  return http.send({
    method: body === undefined ? 'GET' : 'POST',
    url: apiUrl(target, call),
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...authHeaders(target),
    },
    ...(body === undefined ? {} : { body }),
    signal,
    ...connectionOf(target),
  });
}

async function readJson(response: UpstreamResponse, { secret }: ProviderTarget): Promise<unknown> {
  if (response.status < 200 || response.status >= 300) throw await faultOfAnswer(response, secret);
  return parseJson(await response.text());
}
