// Owns the order that strict servers demand: one system message at the head, then user and assistant in turns.
import type { Message, MessagePart } from '../contract/completions.ts';

export function inStrictTurns(messages: readonly Message[]): Message[] {
  const system = messages.filter(({ role }) => role === 'system');
  const turns: Message[] = [];
  for (const message of messages) {
    if (message.role === 'system') continue;
    const last = turns.at(-1);
    if (last && canJoin(last, message)) turns[turns.length - 1] = joined([last, message]);
    else turns.push(message);
  }
  return system.length === 0 ? turns : [joined(system), ...turns];
}

/** Tool calls and their results stay messages of their own. */
function canJoin(last: Message, next: Message): boolean {
  return (
    last.role === next.role && next.role !== 'tool' && last.toolCalls.length + next.toolCalls.length === 0
  );
}

function joined(messages: readonly Message[]): Message {
  const [first] = messages;
  const parts: MessagePart[] = messages.flatMap((message) => message.parts);
  return { role: first?.role ?? 'system', parts, toolCalls: [] };
}
