// Owns which parts of a request Ollama cannot express.
import type { Parameters, ProviderRequest, Unsupported } from '../contract/completions.ts';
import { quirksOf } from './quirks.ts';

/** Cache hints need no support: Ollama caches the beginning of a prompt by itself. */
export function unsupportedBy(request: ProviderRequest): Unsupported[] {
  const { parameters, model, tools, toolChoice } = request;
  const found = unsupportedParameters(parameters);
  const refuse = (path: string, message: string) => found.push({ path, message });
  for (const [index, { parts }] of request.messages.entries()) {
    for (const [place, part] of parts.entries()) {
      if (part.type !== 'image') continue;
      const path = `messages[${index}].parts[${place}]`;
      if ('url' in part.image) refuse(path, 'Ollama does not fetch images: send the data.');
      else if (part.image.detail === 'low' || part.image.detail === 'high') {
        refuse(`${path}.detail`, 'Ollama knows no detail of images.');
      }
    }
  }
  if (tools.length > 0 && (toolChoice?.type === 'required' || toolChoice?.type === 'tool')) {
    refuse('toolChoice', 'Ollama cannot be made to call a tool.');
  }
  if (toolChoice?.type !== 'none') {
    for (const [index, { strict }] of tools.entries()) {
      if (strict) refuse(`tools[${index}].strict`, 'Ollama does not hold calls to their schemas.');
    }
  }
  const effort = parameters.reasoningEffort;
  if (!model.reasoning && effort !== undefined && effort !== 'none') {
    refuse('parameters.reasoningEffort', 'The model does not think.');
  } else if (model.reasoning && effort === 'none' && !quirksOf(request.target).thinkOff) {
    refuse('parameters.reasoningEffort', 'This model cannot be kept from thinking; `low` is the least.');
  }
  return found;
}

function unsupportedParameters(parameters: Parameters): Unsupported[] {
  const found: Unsupported[] = [];
  const refuse = (field: string, message: string) => found.push({ path: `parameters.${field}`, message });
  if (parameters.logitBias !== undefined) refuse('logitBias', 'Ollama has no logit bias.');
  if (parameters.reasoningTokens !== undefined)
    refuse('reasoningTokens', 'Ollama does not count reasoning tokens.');
  if (parameters.parallelToolCalls === false) {
    refuse('parallelToolCalls', 'Ollama cannot be kept from calling several tools at once.');
  }
  return found;
}
