// Owns the listing of the models of a Responses API, and the GET that fetches the list.
import { ProviderError } from '../../kernel/errors.ts';
import { parseJson } from '../../kernel/json.ts';
import type { UpstreamHttp } from '../contract/http.ts';
import type { ListedModel } from '../contract/models.ts';
import type { CallOptions, ProviderTarget } from '../contract/target.ts';
import { protocolFault } from '../shared/answer-faults.ts';
import { authHeaders, connectionOf } from '../shared/credentials.ts';
import { faultOfAnswer } from './errors.ts';
import { quirksOf } from './quirks.ts';
import { modelListSchema } from './wire.ts';

export async function listModels(
  http: UpstreamHttp,
  target: ProviderTarget,
  { signal }: CallOptions,
): Promise<ListedModel[]> {
  const { modelsPath } = quirksOf(target);
  if (modelsPath === null) {
    throw new ProviderError(
      'CAPABILITY_MISSING',
      `The provider ${target.providerKey} has no list of models.`,
    );
  }
  const json = parseJson(await getText(http, target, modelsPath, signal));
  const result = modelListSchema.safeParse(json);
  if (!result.success) throw protocolFault('The answer is no list of models.', result.error);
  return result.data.data.map(({ id }) => ({ key: id }));
}

/** The text at a path under the base URL. */
export async function getText(
  http: UpstreamHttp,
  target: ProviderTarget,
  path: string,
  signal: AbortSignal,
): Promise<string> {
  const response = await http.send({
    method: 'GET',
    url: `${target.baseUrl}${path}`,
    headers: { accept: 'application/json', ...authHeaders(target) },
    signal,
    ...connectionOf(target),
  });
  if (response.status !== 200) throw await faultOfAnswer(response, target.secret);
  return response.text();
}
