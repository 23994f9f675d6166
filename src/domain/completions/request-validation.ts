// Owns the rules for completion requests beyond those for every run; the error for a breach names the path and what would be right.
import { isJsonObject, parseJson } from '../../kernel/json.ts';
import { faultOfJson } from '../../kernel/storable-json.ts';
import { isStorableText } from '../../kernel/text.ts';
import type { MessagePart, Parameters, Tool, ToolCall } from '../../providers/contract/completions.ts';
import type { OptionRules } from '../../providers/contract/option-rules.ts';
import { faultsOfParameters } from '../catalogue/parameter-rules.ts';
import { checkJson, checkText, MAX_JSON_LENGTH, refuse } from '../runs/request-checks.ts';
import type { CompletionRequest, RequestMessage } from './completion-request.ts';
import { decodeContinuation } from './continuation.ts';
import { faultOfOptions } from './provider-options.ts';

/** Bounds on one request. Sizes count UTF-16 units of text. */
export interface RequestBounds {
  readonly maxMessages: number;
  readonly maxTextLength: number;
  readonly maxImageLength: number;
  readonly maxTools: number;
}

const TOOL_NAME = /^[A-Za-z0-9_.-]{1,64}$/;
const MEDIA_TYPE = /^image\/[a-z0-9.+-]{1,40}$/i;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
const MAX_KEY_LENGTH = 255;
/** Large, since a continuation may hold a model's whole reasoning in the provider's own form. */
const MAX_CONTINUATION_LENGTH = 8_000_000;
const MAX_DESCRIPTION_LENGTH = 100_000;

/** The settings that a request is checked against. */
export interface RequestRules {
  readonly bounds: RequestBounds;
  /** The option rules of a protocol; `undefined` if this node has no adapter for it. */
  readonly optionRulesOf: (protocol: string) => OptionRules | undefined;
  /** True if an account or a budget pays for the completion. */
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
  checkResponseFormat(request);
  checkJson('providerOptions', request.providerOptions);
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
    checkMessage(path, message, calls);
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

function checkMessage(path: string, message: RequestMessage, calls: Set<string>): void {
  const { role, parts, toolCalls, toolCallId, continuation } = message;
  if (parts.length === 0 && toolCalls.length === 0 && role !== 'tool') {
    refuse(path, 'has neither content nor tool calls: give "text", "parts" or "toolCalls"');
  }
  if (toolCalls.length > 0 && role !== 'assistant') {
    refuse(`${path}.toolCalls`, 'only messages of role ASSISTANT carry tool calls');
  }
  for (const [index, call] of toolCalls.entries()) checkToolCall(`${path}.toolCalls[${index}]`, call, calls);
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

function checkToolCall(path: string, call: ToolCall, calls: Set<string>): void {
  checkText(`${path}.callId`, call.callId, MAX_KEY_LENGTH);
  if (call.callId === '') refuse(`${path}.callId`, 'must not be empty');
  if (calls.has(call.callId)) refuse(`${path}.callId`, 'stands twice; each call has an id of its own');
  calls.add(call.callId);
  if (!TOOL_NAME.test(call.name)) refuse(`${path}.name`, 'must be 1 to 64 letters, digits, "_", "-" or "."');
  checkText(`${path}.argumentsText`, call.argumentsText, MAX_JSON_LENGTH);
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
  for (const [index, tool] of tools.entries()) checkTool(`tools[${index}]`, tool, names);
  if (toolChoice === undefined) return;
  if (tools.length === 0 && toolChoice.type !== 'none' && toolChoice.type !== 'auto') {
    refuse('toolChoice', 'asks for a tool, but there are no tools');
  }
  if (toolChoice.type === 'tool' && !names.has(toolChoice.name)) {
    refuse('toolChoice.name', `no tool is called "${toolChoice.name.slice(0, 80)}"`);
  }
}

function checkTool(path: string, tool: Tool, names: Set<string>): void {
  if (!TOOL_NAME.test(tool.name)) refuse(`${path}.name`, 'must be 1 to 64 letters, digits, "_", "-" or "."');
  if (names.has(tool.name)) refuse(`${path}.name`, `"${tool.name}" stands twice`);
  names.add(tool.name);
  if (tool.description !== undefined)
    checkText(`${path}.description`, tool.description, MAX_DESCRIPTION_LENGTH);
  checkJson(`${path}.parameters`, tool.parameters);
}

function checkResponseFormat(request: CompletionRequest): void {
  const format = request.responseFormat;
  if (format?.type !== 'json-schema') return;
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(format.name)) {
    refuse('responseFormat.name', 'must be 1 to 64 letters, digits, "_" or "-"');
  }
  if (format.description !== undefined) {
    checkText('responseFormat.description', format.description, MAX_DESCRIPTION_LENGTH);
  }
  checkJson('responseFormat.schema', format.schema);
}
