// Owns the check of a request's provider options against the rules of each protocol that they name, before any candidate is chosen.
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts';
import type { OptionRules } from '../../providers/contract/option-rules.ts';

export interface OptionFault {
  readonly path: string;
  readonly message: string;
}

/** `paidFor`: an account or a budget pays for the completion. */
export function faultOfOptions(
  options: JsonObject,
  rulesOf: (protocol: string) => OptionRules | undefined,
  paidFor: boolean,
): OptionFault | undefined {
  for (const [protocol, fields] of Object.entries(options)) {
    const path = `providerOptions.${protocol}`;
    if (!isJsonObject(fields)) return { path, message: 'must be an object of further fields of the request' };
    const rules = rulesOf(protocol);
    const fault = rules && faultOfFields(fields, rules, paidFor);
    if (fault) return { path: `${path}.${fault.path}`, message: fault.message };
  }
  return undefined;
}

function faultOfFields(fields: JsonObject, rules: OptionRules, paidFor: boolean): OptionFault | undefined {
  for (const [name, instead] of Object.entries(rules.reserved)) {
    const found = setAt(fields, name.split('.'), 'strict');
    if (found) return { path: found.path, message: `provider options cannot set this field; ${instead}` };
  }
  for (const name of rules.extended) {
    const found = setAt(fields, name.split('.'), 'strict');
    if (found && !Array.isArray(found.value)) {
      return { path: found.path, message: 'must be a list; its entries are put beside those of the request' };
    }
  }
  if (!paidFor) return undefined;
  for (const name of rules.priced) {
    const found = setAt(fields, name.split('.'), 'loose');
    if (found) {
      return {
        path: found.path,
        message:
          'changes what the provider charges, and the price list does not know by how much; leave it out where an account or a budget pays',
      };
    }
  }
  return undefined;
}

interface Found {
  readonly path: string;
  readonly value: JsonValue | undefined;
}

/**
 * The path at which the options set the given field. `strict`: a value above the field that is not an object counts too, since it would replace the
 * field. `loose`: lists above the field are searched as well.
 */
function setAt(
  fields: JsonObject,
  [first = '', ...rest]: readonly string[],
  mode: 'strict' | 'loose',
): Found | undefined {
  for (const [name, value] of Object.entries(fields)) {
    if (folded(name) !== folded(first)) continue;
    if (rest.length === 0) return { path: name, value };
    if (mode === 'strict' && !isJsonObject(value)) return { path: name, value: null };
    const inner = Array.isArray(value) ? value : [value];
    for (const entry of inner) {
      const found = isJsonObject(entry) ? setAt(entry, rest, mode) : undefined;
      if (found) return { path: `${name}.${found.path}`, value: found.value };
    }
  }
  return undefined;
}

/** Providers whose servers are written in Go ignore the case of field names, and Google's ignore underscores as well. */
function folded(name: string): string {
  return name.normalize('NFKC').toLowerCase().replaceAll(/[_-]/g, '');
}
