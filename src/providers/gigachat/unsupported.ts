// Owns which parts of a request GigaChat cannot express.
import type { Parameters, ProviderRequest, Unsupported } from '../contract/completions.ts';
import { fitTools } from './functions.ts';
import { fitImages } from './images.ts';
import { quirksOf } from './quirks.ts';

const NO_SUCH_PARAMETERS = [
  'topK',
  'stop',
  'seed',
  'presencePenalty',
  'frequencyPenalty',
  'logitBias',
  'reasoningTokens',
] as const satisfies readonly (keyof Parameters)[];

export function unsupportedBy(request: ProviderRequest): Unsupported[] {
  const { parameters, responseFormat, target } = request;
  const unsupported: Unsupported[] = [];
  for (const name of NO_SUCH_PARAMETERS) {
    if (parameters[name] === undefined) continue;
    unsupported.push({ path: `parameters.${name}`, message: `GigaChat has no parameter for ${name}.` });
  }
  const { reasoningEfforts } = quirksOf(target);
  if (parameters.reasoningEffort && reasoningEfforts[parameters.reasoningEffort] === undefined) {
    const known = Object.keys(reasoningEfforts).join(', ');
    unsupported.push({
      path: 'parameters.reasoningEffort',
      message: `GigaChat knows the reasoning efforts ${known} only.`,
    });
  }
  if (responseFormat?.type === 'json') {
    unsupported.push({ path: 'responseFormat', message: 'GigaChat has no JSON mode without a schema.' });
  }
  return [...unsupported, ...fitTools(request).unsupported, ...fitImages(request.messages).unsupported];
}
