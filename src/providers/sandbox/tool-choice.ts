// Owns which of the offered tools the sandbox calls: the ones that the last user message asks for, by a rule without chance.
import type { ProviderRequest, Tool } from '../contract/completions.ts';
import { lastUserText } from './message-text.ts';
import { traitsOf } from './models.ts';
import type { SandboxOptions } from './options.ts';

/** Words of a tool's name or description that say nothing of what it is for. */
const GENERAL = new Set(
  'get set fetch find look lookup list run call tool tools function use using current the and for with from that this given returns return what when which into your about are can one two'.split(
    ' ',
  ),
);
const STEM = 6;
const MAX_WORDS = 2000;
const ASKS_FOR_TOOLS = /\b(?:use|call|invoke|try)\b[^.!?\n]{0,40}\b(?:tools?|functions?)\b/i;
const FORBIDS_TOOLS = /\b(?:do not|don't|never|without|no)\b[^.!?\n]{0,20}\b(?:tools?|functions?)\b/i;

/**
 * None after a tool's answer. A forced tool is called, and `required` calls at least the first. Otherwise: the tools whose name, or all of whose name's
 * words, the message has; else the first tool of whose name it has a word, or of whose description two; else the first, if it asks for a tool.
 */
export function chosenTools(request: ProviderRequest, options: SandboxOptions): readonly Tool[] {
  const { tools, messages, parameters } = request;
  const choice = request.toolChoice ?? { type: 'auto' };
  if (messages.at(-1)?.role === 'tool' || choice.type === 'none') return [];
  if (choice.type === 'tool') return tools.filter(({ name }) => name === choice.name).slice(0, 1);
  const textIsChosen = options.text !== undefined || options.tokens !== undefined;
  const always = choice.type === 'required' || traitsOf(request.model.key).callsTools;
  const asked = textIsChosen && !always ? [] : askedTools(tools, lastUserText(request));
  const called = asked.length === 0 && always ? tools.slice(0, 1) : asked;
  return parameters.parallelToolCalls === false ? called.slice(0, 1) : called;
}

function askedTools(tools: readonly Tool[], text: string): readonly Tool[] {
  if (FORBIDS_TOOLS.test(text)) return [];
  const lower = text.toLowerCase();
  const said = new Set(wordsOf(text));
  const exact = tools.filter(({ name }) => lower.split(/[^\w.-]+/u).some((word) => isName(word, name)));
  const namesWords = (tool: Tool) => telling(wordsOf(tool.name));
  if (exact.some((tool) => namesWords(tool).length > 1)) return exact;
  const whole = tools.filter((tool) => {
    const words = namesWords(tool);
    return exact.includes(tool) || (words.length > 0 && words.every((word) => said.has(word)));
  });
  if (whole.length > 0) return whole;
  const partly = tools.find(
    (tool) =>
      namesWords(tool).some((word) => said.has(word)) ||
      new Set(telling(wordsOf(tool.description ?? '')).filter((word) => said.has(word))).size >= 2,
  );
  if (partly) return [partly];
  return ASKS_FOR_TOOLS.test(text) ? tools.slice(0, 1) : [];
}

/** A name that stands in the message as it is; the mark that ends a sentence is no part of it. */
function isName(word: string, name: string): boolean {
  return word.replace(/[.-]+$/u, '') === name.toLowerCase();
}

/** The beginnings of words, so that `calculator` is found in "Calculate". */
function wordsOf(text: string): string[] {
  const parts = text
    .replace(/(\p{Ll})(\p{Lu})/gu, '$1 $2')
    .toLowerCase()
    .match(/[\p{L}\p{N}]+/gu);
  return (parts ?? []).slice(0, MAX_WORDS).map((word) => {
    if (GENERAL.has(word)) return word;
    return word.length > STEM ? word.slice(0, STEM) : word.replace(/(?<=\w{3})s$/u, '');
  });
}

function telling(words: readonly string[]): string[] {
  return words.filter((word) => [...word].length >= 3 && !GENERAL.has(word));
}
