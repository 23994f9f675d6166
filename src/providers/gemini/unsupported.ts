// Owns which parts of a request Gemini, with a model's quirks, cannot express.
import type { Message, Parameters, ProviderRequest, Unsupported } from '../contract/completions.ts';
import { isFormatRefused, MAX_STOP_SEQUENCES } from './encode.ts';
import { imageDetailOf } from './encode-media.ts';
import { unsupportedThinking } from './encode-thinking.ts';
import { type GeminiQuirks, quirksOf } from './quirks.ts';

/** Cache hints need no support: Gemini caches the beginning of a prompt by itself. */
export function unsupportedBy(request: ProviderRequest): Unsupported[] {
  const quirks = quirksOf(request.target, request.model.key);
  const found = [...unsupportedParameters(request.parameters), ...unsupportedThinking(request, quirks)];
  for (const [index, message] of request.messages.entries()) {
    found.push(...unsupportedParts(message, index, quirks));
  }
  if (imageDetailOf(request.messages) === 'mixed') {
    found.push({ path: 'messages', message: 'Gemini looks at all images of a request in the same detail.' });
  }
  if (isFormatRefused(request, quirks)) {
    found.push({
      path: 'responseFormat',
      message: 'This model does not give JSON output while it has tools.',
    });
  }
  return found;
}

function unsupportedParameters({ stop, ...parameters }: Parameters): Unsupported[] {
  const found: Unsupported[] = [];
  const refuse = (field: string, message: string) => found.push({ path: `parameters.${field}`, message });
  if (parameters.repetitionPenalty !== undefined) {
    refuse('repetitionPenalty', 'Gemini has no repetition penalty; it has presence and frequency penalties.');
  }
  if (parameters.logitBias !== undefined) refuse('logitBias', 'Gemini has no logit bias.');
  if (parameters.parallelToolCalls === false) {
    refuse('parallelToolCalls', 'Gemini cannot be kept from calling several tools at once.');
  }
  if (stop && stop.length > MAX_STOP_SEQUENCES) {
    refuse('stop', `Gemini takes at most ${MAX_STOP_SEQUENCES} stop sequences.`);
  }
  return found;
}

function unsupportedParts(message: Message, index: number, quirks: GeminiQuirks): Unsupported[] {
  return message.parts.flatMap((part, place) => {
    const path = `messages[${index}].parts[${place}]`;
    if (part.type !== 'image') return [];
    if (message.role === 'system') return [{ path, message: 'Instructions to Gemini are text only.' }];
    if (message.role === 'tool' && !quirks.toolResultImages) {
      return [{ path, message: 'This model takes no images in the result of a tool.' }];
    }
    if ('url' in part.image && !quirks.imageUrls) {
      return [{ path, message: 'This endpoint does not fetch images: send the data.' }];
    }
    return [];
  });
}
