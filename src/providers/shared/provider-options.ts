// Owns how a caller's provider options are merged into the body of a request: objects are merged, lists that may be extended grow, other values are replaced.
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts';
import type { OptionRules } from '../contract/option-rules.ts';

type Body = Readonly<Record<string, JsonValue | undefined>>;

/** The body itself if there are no options. `place` is the dotted path of `body`, with a dot at its end. */
export function withProviderOptions<Fields extends Body>(
  body: Fields,
  options: JsonObject,
  { extended }: Pick<OptionRules, 'extended'>,
  place = '',
): Fields {
  const names = Object.keys(options);
  if (names.length === 0) return body;
  const merged: Record<string, JsonValue | undefined> = { ...body };
  for (const name of names) {
    const own = Object.hasOwn(body, name) ? body[name] : undefined;
    const given = options[name];
    if (isJsonObject(own) && isJsonObject(given)) {
      merged[name] = withProviderOptions(own, given, { extended }, `${place}${name}.`);
    } else if (Array.isArray(own) && Array.isArray(given) && extended.includes(`${place}${name}`)) {
      merged[name] = [...own, ...given];
    } else {
      merged[name] = given;
    }
  }
  return merged as Fields;
}
