// Owns the protocol `openai-responses`: OpenAI's Responses API, used without its store.

import { parseJson } from '../../kernel/json.ts';
import type { AdapterDependencies, CompletionAdapter } from '../contract/adapter.ts';
import type { UpstreamHttp } from '../contract/http.ts';
import type { CallOptions, ProviderTarget } from '../contract/target.ts';
import { protocolFault } from '../shared/answer-faults.ts';
import { isLacking, isPage, noApi } from '../shared/check-answer.ts';
import { authHeaders, connectionOf } from '../shared/credentials.ts';
import { faultsIn } from '../shared/quirks.ts';
import { faultOfAnswer } from './errors.ts';
import { getText, listModels } from './models.ts';
import { OPTION_RULES } from './option-rules.ts';
import { quirksOf, quirksSchema } from './quirks.ts';
import { streamAnswer } from './stream.ts';
import { unsupportedBy } from './unsupported.ts';

export function createOpenAiResponsesAdapter({ http }: AdapterDependencies): CompletionAdapter {
  return {
    protocol: 'openai-responses',
    completions: {
      optionRules: OPTION_RULES,
      unsupported: unsupportedBy,
      stream: (request, options) => streamAnswer(http, request, options),
    },
    models: { list: (target, options) => listModels(http, target, options) },
    health: { check: (target, options) => check(http, target, options) },
    faultsOfQuirks: faultsIn(quirksSchema),
  };
}

async function check(http: UpstreamHttp, target: ProviderTarget, options: CallOptions): Promise<void> {
  const { modelsPath, checkPath } = quirksOf(target);
  const lists = modelsPath !== null && target.hasModelList !== false;
  if (checkPath === null || (checkPath === undefined && !lists)) {
    await checkByEmptyRequest(http, target, options.signal);
  } else if (checkPath === undefined) {
    await listModels(http, target, options).catch((error: unknown) => {
      // Many servers have no list of the models that they serve.
      if (!isLacking(error)) throw error;
      return checkByEmptyRequest(http, target, options.signal);
    });
  } else if (parseJson(await getText(http, target, checkPath, options.signal)) === undefined) {
    throw protocolFault(`The answer at ${checkPath} is not JSON.`);
  }
}

/** The empty request is refused as invalid only if the address and the credential are right. */
async function checkByEmptyRequest(
  http: UpstreamHttp,
  target: ProviderTarget,
  signal: AbortSignal,
): Promise<void> {
  const url = `${target.baseUrl}/responses`;
  const response = await http.send({
    method: 'POST',
    url,
    headers: { 'content-type': 'application/json', ...authHeaders(target) },
    body: '{}',
    signal,
    ...connectionOf(target),
  });
  if (isPage(response)) {
    await response.text();
    throw noApi(url);
  }
  const fault = await faultOfAnswer(response, target.secret);
  if (response.status !== 400 && response.status !== 422) throw fault;
  if (fault.code === 'PROVIDER_AUTHENTICATION') throw fault;
}
