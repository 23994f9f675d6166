// Owns which parts of a request Cohere cannot express.
import type { Parameters, ProviderRequest, Unsupported } from '../contract/completions.ts';

/** https://docs.cohere.com/reference/chat#request.body.stop_sequences */
export const MAX_STOP_SEQUENCES = 5;

/** Cache hints need no support: Cohere caches the beginning of a prompt by itself. */
export function unsupportedBy(request: ProviderRequest): Unsupported[] {
  const found = unsupportedParameters(request.parameters, request.model.reasoning);
  for (const [index, { role, parts }] of request.messages.entries()) {
    for (const [place, part] of parts.entries()) {
      if (part.type === 'image' && role !== 'user') {
        found.push({
          path: `messages[${index}].parts[${place}]`,
          message: 'Cohere takes images from users only.',
        });
      }
    }
  }
  if (isFormatRefused(request)) {
    found.push({ path: 'responseFormat', message: 'Cohere does not give JSON output while it has tools.' });
  }
  found.push(...unsupportedStrictness(request));
  return found;
}

export function isFormatRefused({ tools, responseFormat }: ProviderRequest): boolean {
  return tools.length > 0 && responseFormat !== undefined && responseFormat.type !== 'text';
}

function unsupportedParameters({ stop, ...parameters }: Parameters, reasoning: boolean): Unsupported[] {
  const found: Unsupported[] = [];
  const refuse = (field: string, message: string) => found.push({ path: `parameters.${field}`, message });
  if (parameters.repetitionPenalty !== undefined) {
    refuse('repetitionPenalty', 'Cohere has no repetition penalty; it has presence and frequency penalties.');
  }
  if (parameters.logitBias !== undefined) refuse('logitBias', 'Cohere has no logit bias.');
  if (parameters.parallelToolCalls === false) {
    refuse('parallelToolCalls', 'Cohere cannot be kept from calling several tools at once.');
  }
  if (stop && stop.length > MAX_STOP_SEQUENCES) {
    refuse('stop', `Cohere takes at most ${MAX_STOP_SEQUENCES} stop sequences.`);
  }
  if (!reasoning && parameters.reasoningEffort !== undefined && parameters.reasoningEffort !== 'none') {
    refuse('reasoningEffort', 'The model does not think.');
  }
  if (!reasoning && (parameters.reasoningTokens ?? 0) > 0)
    refuse('reasoningTokens', 'The model does not think.');
  return found;
}

/** `strict_tools` applies to all tools of a request. */
function unsupportedStrictness({ tools, toolChoice }: ProviderRequest): Unsupported[] {
  const offered = toolChoice?.type === 'tool' ? tools.filter(({ name }) => name === toolChoice.name) : tools;
  if (offered.every(({ strict }) => strict)) return [];
  return tools.flatMap((tool, index) =>
    tool.strict && offered.includes(tool)
      ? [
          {
            path: `tools[${index}].strict`,
            message: 'Cohere is strict about all tools of a request or about none.',
          },
        ]
      : [],
  );
}
