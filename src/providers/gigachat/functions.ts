// Owns tools in GigaChat's form: functions without a wrapper, under names that it accepts, of which one may be called in a turn.
import type { JsonObject, JsonValue } from '../../kernel/json.ts';
import type { ProviderRequest, Tool, Unsupported } from '../contract/completions.ts';
import { fitSchema } from './function-schema.ts';

const PLAIN_NAME = /^[A-Za-z_][\w.-]*$/;
/** Names of functions that the service has itself. */
const OWN_NAMES: ReadonlySet<string> = new Set([
  'web_search',
  'text2image',
  'text2model3d',
  'get_file_content',
]);

/** The name itself if GigaChat accepts it, otherwise one computed from it. */
export function wireFunctionName(name: string): string {
  if (PLAIN_NAME.test(name) && !OWN_NAMES.has(name)) return name;
  return `fn_${name.replace(/[^\w.-]/g, '_')}`;
}

/** The caller's name of a function that the API names. */
export function toolNameOf(wireName: string, tools: readonly Tool[]): string {
  return tools.find(({ name }) => wireFunctionName(name) === wireName)?.name ?? wireName;
}

export interface FittedTools {
  readonly functions: readonly JsonObject[];
  readonly functionCall: JsonValue | undefined;
  readonly unsupported: readonly Unsupported[];
}

export function fitTools({ tools, toolChoice }: ProviderRequest): FittedTools {
  const unsupported: Unsupported[] = [];
  const functions: JsonObject[] = [];
  for (const [index, { name, description, parameters, strict }] of tools.entries()) {
    if (strict === true) {
      unsupported.push({ path: `tools[${index}].strict`, message: 'GigaChat has no strict functions.' });
    }
    const fitted = fitSchema(parameters);
    if ('problem' in fitted) {
      unsupported.push({
        path: `tools[${index}].parameters`,
        message: `The schema of ${name}: ${fitted.problem}.`,
      });
    } else {
      functions.push({
        name: wireFunctionName(name),
        ...(description === undefined ? {} : { description }),
        parameters: fitted.schema,
      });
    }
  }
  const functionCall = callOf(toolChoice, functions, unsupported);
  return { functions, functionCall, unsupported };
}

function callOf(
  choice: ProviderRequest['toolChoice'],
  functions: readonly JsonObject[],
  unsupported: Unsupported[],
): JsonValue | undefined {
  if (functions.length === 0) return undefined;
  if (choice?.type === 'tool') {
    const name = wireFunctionName(choice.name);
    return functions.some((entry) => entry.name === name) ? { name } : 'auto';
  }
  if (choice?.type === 'none') return 'none';
  if (choice?.type !== 'required') return 'auto';
  const [only, another] = functions;
  if (only?.name !== undefined && another === undefined) return { name: only.name };
  unsupported.push({
    path: 'toolChoice',
    message: 'GigaChat cannot be told to call any one of several functions.',
  });
  return 'auto';
}
