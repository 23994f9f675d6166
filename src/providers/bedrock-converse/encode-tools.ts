// Owns how tools and the tool choice become `toolConfig`, and which choices a model cannot be held to.
import type { JsonObject } from '../../kernel/json.ts';
import { fittedTool } from '../claude/strict-tools.ts';
import type { Message, ProviderRequest, Tool, Unsupported } from '../contract/completions.ts';
import type { BedrockQuirks } from './quirks-schema.ts';

export interface ToolPlan {
  readonly toolConfig?: JsonObject;
  readonly forced: boolean;
  readonly refused: readonly Unsupported[];
}

export function planTools(
  request: ProviderRequest,
  quirks: BedrockQuirks,
  outputTool: Tool | undefined,
): ToolPlan {
  const { tools, toolChoice, messages, parameters } = request;
  const refused: Unsupported[] = [];
  const refuse = (path: string, message: string): void => void refused.push({ path, message });
  if (!quirks.tools) {
    if (tools.length > 0) refuse('tools', 'This model takes no tools.');
    return { forced: false, refused };
  }
  if (parameters.parallelToolCalls === false && tools.length > 0) {
    refuse('parameters.parallelToolCalls', 'This protocol cannot forbid parallel tool calls.');
  }
  const history = namesInHistory(messages);
  // There is no choice "none": tools that must not be called are left out, unless the history requires them.
  const forbidden = toolChoice?.type === 'none';
  if (forbidden && history.size > 0)
    refuse('toolChoice', 'Once tools were called, this protocol cannot forbid them.');
  const offered = forbidden && history.size === 0 ? [] : [...tools];
  const missing = [...history].filter((name) => !offered.some((tool) => tool.name === name));
  const all = [...offered, ...missing.map(placeholder), ...(outputTool ? [outputTool] : [])];
  if (all.length === 0) return { forced: false, refused };
  const choice = choiceOf(request, quirks, offered.length > 0, outputTool, refuse);
  const strictTaken = quirks.structuredOutput === 'native';
  return {
    toolConfig: {
      tools: all.map((tool, index) => toolSpec(fittedTool(tool, strictTaken, index, refuse))),
      ...(choice ? { toolChoice: choice } : {}),
    },
    forced: choice !== undefined,
    refused,
  };
}

function namesInHistory(messages: readonly Message[]): Set<string> {
  return new Set(messages.flatMap(({ toolCalls }) => toolCalls.map(({ name }) => name)));
}

/** Bedrock refuses a history with tool calls if the request has no tools, but a caller that needs tools no longer may have left them out. */
function placeholder(name: string): Tool {
  return { name, parameters: { type: 'object' } };
}

function choiceOf(
  { toolChoice }: ProviderRequest,
  { forcedToolChoice }: BedrockQuirks,
  hasTools: boolean,
  outputTool: Tool | undefined,
  refuse: (path: string, message: string) => void,
): JsonObject | undefined {
  const named = toolChoice?.type === 'tool' ? toolChoice.name : undefined;
  if (named !== undefined && hasTools) {
    if (forcedToolChoice === 'named') return { tool: { name: named } };
    refuse('toolChoice', 'This model cannot be made to call one tool by name.');
    return undefined;
  }
  if (outputTool) {
    const alone = !hasTools && forcedToolChoice === 'named';
    return alone ? { tool: { name: outputTool.name } } : { any: {} };
  }
  if (toolChoice?.type !== 'required' || !hasTools) return undefined;
  if (forcedToolChoice !== 'never') return { any: {} };
  refuse('toolChoice', 'This model cannot be made to call a tool.');
  return undefined;
}

function toolSpec({ name, description, parameters, strict }: Tool): JsonObject {
  return {
    toolSpec: {
      name,
      ...(description ? { description } : {}),
      inputSchema: { json: { type: 'object', ...parameters } },
      ...(strict ? { strict } : {}),
    },
  };
}
