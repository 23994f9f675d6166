// Owns the text of messages as the sandbox hears it.
import type { Message, ProviderRequest } from '../contract/completions.ts';

const MAX_HEARD = 20_000;

/** The last user message, of which a very long text is heard only at its start; empty where there is none. */
export function lastUserText({ messages }: ProviderRequest): string {
  return textOfMessage(messages.findLast(({ role }) => role === 'user')).slice(0, MAX_HEARD);
}

export function textOfMessage(message: Message | undefined): string {
  return (message?.parts ?? []).map((part) => (part.type === 'text' ? part.text : '')).join(' ');
}
