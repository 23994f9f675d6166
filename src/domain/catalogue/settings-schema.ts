// Owns the JSON Schema of provider settings: whether a schema is valid, and which rules of it the settings break.
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { InputCheck } from '../../kernel/input-check.ts';
import type { JsonObject } from '../../kernel/json.ts';
import { checkTenantSchema, tenantSchema } from './tenant-schema.ts';

const MAX_CACHED = 500;

/** Formats are not checked, because the provider does that; an unknown keyword is ignored, since it restricts nothing. */
const ajv = new Ajv2020({ allErrors: true, strict: false, validateFormats: false, ownProperties: true });
const compiled = new Map<string, ValidateFunction>();

/** `ofWorkspace`: true for a schema that a workspace wrote, which is bounded before it is compiled. */
export function checkSettingsSchema(
  check: InputCheck,
  path: string,
  schema: JsonObject,
  ofWorkspace: boolean,
): void {
  if (schema.type !== 'object') {
    check.add(path, 'must be a JSON Schema of type "object"');
    return;
  }
  try {
    if (!ajv.validateSchema(schema)) {
      check.add(path, `is not a JSON Schema (draft 2020-12): ${ajv.errorsText(ajv.errors)}`);
      return;
    }
    const own = new InputCheck();
    if (ofWorkspace) checkTenantSchema(own, path, schema);
    check.take(own);
    if (own.clean) compile(schema);
  } catch (error) {
    check.add(path, `cannot be used: ${(error as Error).message}`);
  }
}

/** Names each setting that breaks the provider's schema. */
export function checkSettings(
  check: InputCheck,
  path: string,
  settings: JsonObject,
  {
    settingsSchema,
    workspaceId,
  }: { readonly settingsSchema: JsonObject; readonly workspaceId?: string | null },
): void {
  try {
    const validate = compile(workspaceId == null ? settingsSchema : tenantSchema(settingsSchema));
    if (validate(settings)) return;
    for (const fault of validate.errors ?? []) check.add(`${path}${placeOf(fault)}`, wordsOf(fault));
  } catch (error) {
    // The schema refers to itself without end, or was written by plain SQL past the checks.
    check.add(
      path,
      `cannot be checked, since the provider's "settingsSchema" cannot be used: ${(error as Error).message}`,
    );
  }
}

function compile(schema: JsonObject): ValidateFunction {
  const key = JSON.stringify(schema);
  const known = compiled.get(key);
  if (known) return known;
  if (compiled.size >= MAX_CACHED) {
    compiled.clear();
    ajv.removeSchema();
  }
  // A schema with an `$id` may be compiled only once under it.
  const { $id: _id, ...anonymous } = schema;
  const validate = ajv.compile(anonymous);
  compiled.set(key, validate);
  return validate;
}

function placeOf(fault: ErrorObject): string {
  const missing = fault.params as { missingProperty?: string; additionalProperty?: string };
  const steps = fault.instancePath.split('/').slice(1);
  const last = missing.missingProperty ?? missing.additionalProperty;
  if (last !== undefined) steps.push(last);
  return steps.map((step) => `.${step.replaceAll('~1', '/').replaceAll('~0', '~')}`).join('');
}

function wordsOf(fault: ErrorObject): string {
  if (fault.keyword === 'required') return 'is required by this provider';
  if (fault.keyword === 'additionalProperties') return 'is no setting of this provider; remove it';
  if (fault.keyword === 'enum') {
    return `must be one of ${(fault.params as { allowedValues: unknown[] }).allowedValues.join(', ')}`;
  }
  return fault.message ?? 'does not fit the provider’s settings';
}
