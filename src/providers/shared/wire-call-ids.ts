// Owns the ids of tool calls for APIs that restrict them: an id that another vendor made is always replaced by the same new one.
import { createHash } from 'node:crypto';

/** Ids that Claude's protocols and Converse accept: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolUseBlock.html */
const PLAIN_ID = /^[a-zA-Z0-9_-]{1,64}$/;

/** The id itself if the API accepts it; otherwise (`functions.weather:0`) one computed from it, so that call and result still match. */
export function wireCallId(callId: string): string {
  if (PLAIN_ID.test(callId)) return callId;
  const readable = callId.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, 40);
  return `${readable}_${createHash('sha256').update(callId).digest('hex').slice(0, 12)}`;
}
