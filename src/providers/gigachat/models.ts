// Owns the listing of the models that a GigaChat credential can see.
import { parseJson } from '../../kernel/json.ts';
import type { ListedModel } from '../contract/models.ts';
import type { ProviderTarget } from '../contract/target.ts';
import { protocolFault } from '../shared/answer-faults.ts';
import { faultOfAnswer } from './errors.ts';
import type { GigaChatSignIn } from './sign-in.ts';
import { modelListSchema } from './wire.ts';

export async function listModels(
  signIn: GigaChatSignIn,
  target: ProviderTarget,
  signal: AbortSignal,
): Promise<ListedModel[]> {
  const headers = { accept: 'application/json' };
  const response = await signIn.send(target, { method: 'GET', path: '/models', headers, signal });
  if (response.status !== 200) throw await faultOfAnswer(response, target.secret);
  const result = modelListSchema.safeParse(parseJson(await response.text()));
  if (!result.success) throw protocolFault('The answer is no list of models.', result.error);
  return result.data.data.map(({ id, type }) => {
    const output = OUTPUTS[type ?? ''];
    return { key: id, ...(output ? { outputModalities: output } : {}) };
  });
}

/** Models for checking and filtering have no modality of the catalogue. */
const OUTPUTS: Readonly<Record<string, readonly string[]>> = { chat: ['text'], embedder: ['embedding'] };
