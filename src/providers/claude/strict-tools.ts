// Owns how a strict tool reaches Messages and Converse: with its schema in the dialect that both hold calls to, or as a loose one.
import type { Tool } from '../contract/completions.ts';
import { translateSchema } from '../shared/translate-schema.ts';

/** The tool as it can be offered; what of it cannot be had is told to `refuse`. */
export function fittedTool(
  tool: Tool,
  strictTaken: boolean,
  index: number,
  refuse: (path: string, message: string) => void,
): Tool {
  if (!tool.strict) return tool;
  const { strict: _strict, ...loose } = tool;
  const path = `tools[${index}].strict`;
  if (!strictTaken) {
    refuse(path, 'This model has no strict tools.');
    return loose;
  }
  const translated = translateSchema({ type: 'object', properties: {}, ...tool.parameters }, 'claude');
  if ('schema' in translated) return { ...tool, parameters: translated.schema };
  refuse(path, `This model cannot be held to the schema: ${translated.fault}.`);
  return loose;
}
