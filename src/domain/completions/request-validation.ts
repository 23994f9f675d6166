// Owns the rules that a completion request keeps beside those of every run; a breach names its path and the mend.
import { isJsonObject, parseJson } from '../../kernel/json.ts';
import { faultOfJson } from '../../kernel/storable-json.ts';
import { isStorableText } from '../../kernel/text.ts';
import type { MessagePart, Parameters, Tool, ToolCall } from '../../providers/contract/completions.ts';
import type { OptionRules } from '../../providers/contract/option-rules.ts';
import { faultsOfParameters } from '../catalogue/parameter-rules.ts';
import { checkJson, checkText, refuse } from '../runs/request-checks.ts';
import type { CompletionRequest, RequestMessage } from './completion-request.ts';
import { decodeContinuation } from './continuation.ts';
import { faultOfOptions } from './provider-options.ts';

/** Bounds on one request. Sizes count UTF-16 units of text. */
export interface RequestBounds {
  readonly maxMessages: number;
  readonly maxTextLength: number;
  readonly maxImageLength: number;
  readonly maxTools: number;
  readonly maxJsonLength: number;
}

export const DEFAULT_REQUEST_BOUNDS: RequestBounds = {
  maxMessages: 2_000,
  maxTextLength: 8_000_000,
  maxImageLength: 28_000_000,
  maxTools: 256,
  maxJsonLength: 1_000_000,
};

const TOOL_NAME = /^[A-Za-z0-9_.-]{1,64}$/;
const MEDIA_TYPE = /^image\/[a-z0-9.+-]{1,40}$/i;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
const MAX_KEY_LENGTH = 255;
/** It holds what a model thought, in the provider's own form. */
const MAX_CONTINUATION_LENGTH = 8_000_000;
const MAX_DESCRIPTION_LENGTH = 100_000;

/** What a request is checked against. */
export interface RequestRules {
  readonly bounds: RequestBounds;
  /** Of each protocol that is spoken here. */
  readonly optionRulesOf: (protocol: string) => OptionRules | undefined;
  /** Whether an account or a budget pays for it. */
  readonly paidFor: boolean;
}

/** Raises `BAD_USER_INPUT` for the first rule that the request breaks. */
export function validateCompletion(
  request: CompletionRequest,
  { bounds, optionRulesOf, paidFor }: RequestRules,
): void {
  checkMessages(request.messages, bounds);
  checkParameters(request.parameters);
  checkTools(request, bounds);
  checkResponseFormat(request, bounds);
  checkJson('providerOptions', request.providerOptions, bounds.maxJsonLength);
  const optionFault = faultOfOptions(request.providerOptions, optionRulesOf, paidFor);
  if (optionFault) refuse(optionFault.path, optionFault.message);
}

function checkMessages(messages: readonly RequestMessage[], bounds: RequestBounds): void {
  if (messages.length === 0) refuse('messages', 'at least one message is needed');
  if (messages.length > bounds.maxMessages)
    refuse('messages', `at most ${bounds.maxMessages} messages are taken`);
  const calls = new Set<string>();
  let textLength = 0;
  let imageLength = 0;
  for (const [index, message] of messages.entries()) {
    const path = `messages[${index}]`;
    checkMessage(path, message, calls, bounds);
    for (const [place, part] of message.parts.entries()) {
      checkPart(`${path}.parts[${place}]`, part, message);
      if (part.type === 'text') textLength += part.text.length;
      else if ('data' in part.image) imageLength += part.image.data.length;
    }
    if (textLength > bounds.maxTextLength)
      refuse(path, `text of all messages must not exceed ${bounds.maxTextLength} characters`);
    if (imageLength > bounds.maxImageLength)
      refuse(path, `images must not exceed ${bounds.maxImageLength} base64 characters together`);
  }
}

function checkMessage(
  path: string,
  message: RequestMessage,
  calls: Set<string>,
  bounds: RequestBounds,
): void {
  const { role, parts, toolCalls, toolCallId, continuation } = message;
  if (parts.length === 0 && toolCalls.length === 0 && role !== 'tool') {
    refuse(path, 'has neither content nor tool calls: give "text", "parts" or "toolCalls"');
  }
  if (toolCalls.length > 0 && role !== 'assistant') {
    refuse(`${path}.toolCalls`, 'only messages of role ASSISTANT carry tool calls');
  }
  for (const [index, call] of toolCalls.entries())
    checkToolCall(`${path}.toolCalls[${index}]`, call, calls, bounds);
  if (role === 'tool') {
    if (!toolCallId) refuse(`${path}.toolCallId`, 'a message of role TOOL names the call that it answers');
    if (!calls.has(toolCallId)) {
      refuse(`${path}.toolCallId`, `no earlier ASSISTANT message made the call "${toolCallId.slice(0, 80)}"`);
    }
  } else if (toolCallId !== undefined) {
    refuse(`${path}.toolCallId`, 'only messages of role TOOL answer a call');
  }
  if (continuation === undefined) return;
  if (role !== 'assistant')
    refuse(`${path}.continuation`, 'only messages of role ASSISTANT carry a continuation');
  checkText(`${path}.continuation`, continuation, MAX_CONTINUATION_LENGTH);
  const decoded = decodeContinuation(continuation);
  if (!decoded) refuse(`${path}.continuation`, 'is not a continuation that a completion gave');
  const fault = faultOfJson(decoded, MAX_CONTINUATION_LENGTH);
  if (fault) refuse(`${path}.continuation`, fault);
}

function checkToolCall(path: string, call: ToolCall, calls: Set<string>, bounds: RequestBounds): void {
  checkText(`${path}.callId`, call.callId, MAX_KEY_LENGTH);
  if (call.callId === '') refuse(`${path}.callId`, 'must not be empty');
  if (calls.has(call.callId)) refuse(`${path}.callId`, 'stands twice; each call has an id of its own');
  calls.add(call.callId);
  if (!TOOL_NAME.test(call.name)) refuse(`${path}.name`, 'must be 1 to 64 letters, digits, "_", "-" or "."');
  checkText(`${path}.argumentsText`, call.argumentsText, bounds.maxJsonLength);
  if (call.argumentsText !== '' && !isJsonObject(parseJson(call.argumentsText))) {
    refuse(`${path}.argumentsText`, 'must be the JSON text of an object');
  }
}

function checkPart(path: string, part: MessagePart, message: RequestMessage): void {
  if (part.type === 'text') {
    if (!isStorableText(part.text))
      refuse(`${path}.text`, 'holds U+0000 or half a surrogate pair; remove it');
    return;
  }
  if (message.role !== 'user' && message.role !== 'tool')
    refuse(`${path}.image`, 'only USER and TOOL messages carry images');
  const { image } = part;
  if ('url' in image) {
    checkText(`${path}.image.url`, image.url, 8_192);
    const url = URL.parse(image.url);
    if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
      refuse(
        `${path}.image.url`,
        'must be an http or https URL; for inline images give "data" and "mediaType"',
      );
    }
    return;
  }
  if (!MEDIA_TYPE.test(image.mediaType))
    refuse(`${path}.image.mediaType`, 'must be a type such as image/png');
  if (image.data === '' || !BASE64.test(image.data))
    refuse(`${path}.image.data`, 'must be base64, without a "data:" prefix');
}

function checkParameters(parameters: Parameters): void {
  for (const { path, message } of faultsOfParameters(parameters)) refuse(`parameters.${path}`, message);
}

function checkTools(request: CompletionRequest, bounds: RequestBounds): void {
  const { tools, toolChoice } = request;
  if (tools.length > bounds.maxTools) refuse('tools', `at most ${bounds.maxTools} tools are taken`);
  const names = new Set<string>();
  for (const [index, tool] of tools.entries()) checkTool(`tools[${index}]`, tool, names, bounds);
  if (toolChoice === undefined) return;
  if (tools.length === 0 && toolChoice.type !== 'none' && toolChoice.type !== 'auto') {
    refuse('toolChoice', 'asks for a tool, but there are no tools');
  }
  if (toolChoice.type === 'tool' && !names.has(toolChoice.name)) {
    refuse('toolChoice.name', `no tool is called "${toolChoice.name.slice(0, 80)}"`);
  }
}

function checkTool(path: string, tool: Tool, names: Set<string>, bounds: RequestBounds): void {
  if (!TOOL_NAME.test(tool.name)) refuse(`${path}.name`, 'must be 1 to 64 letters, digits, "_", "-" or "."');
  if (names.has(tool.name)) refuse(`${path}.name`, `"${tool.name}" stands twice`);
  names.add(tool.name);
  if (tool.description !== undefined)
    checkText(`${path}.description`, tool.description, MAX_DESCRIPTION_LENGTH);
  checkJson(`${path}.parameters`, tool.parameters, bounds.maxJsonLength);
}

function checkResponseFormat(request: CompletionRequest, bounds: RequestBounds): void {
  const format = request.responseFormat;
  if (format?.type !== 'json-schema') return;
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(format.name)) {
    refuse('responseFormat.name', 'must be 1 to 64 letters, digits, "_" or "-"');
  }
  if (format.description !== undefined) {
    checkText('responseFormat.description', format.description, MAX_DESCRIPTION_LENGTH);
  }
  checkJson('responseFormat.schema', format.schema, bounds.maxJsonLength);
}
