// Owns the ids of tool calls on wires that restrict them: an id that another vendor minted is replaced by the same one each time.
import { createHash } from 'node:crypto';

/** What both Claude's protocols and Converse take: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolUseBlock.html */
const PLAIN_ID = /^[a-zA-Z0-9_-]{1,64}$/;

/** The id itself where the wire takes it; otherwise (`functions.weather:0`) one made from it, so that call and result still match. */
export function wireCallId(callId: string): string {
  if (PLAIN_ID.test(callId)) return callId;
  const readable = callId.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, 40);
  return `${readable}_${createHash('sha256').update(callId).digest('hex').slice(0, 12)}`;
}
