import { describe, expect, test } from 'vitest';
import { checkTenantSchema, tenantSchema } from '../../../src/domain/catalogue/tenant-schema.ts';
import { InputCheck } from '../../../src/kernel/input-check.ts';
import type { JsonObject } from '../../../src/kernel/json.ts';

function problemsOf(schema: JsonObject): string[] {
  const check = new InputCheck();
  checkTenantSchema(check, 'schema', schema);
  try {
    check.raise();
    return [];
  } catch (error) {
    return (error as { problems: { path: string }[] }).problems.map(({ path }) => path);
  }
}
const withPattern = (pattern: string) => ({ type: 'object', properties: { a: { type: 'string', pattern } } });
const nested = (levels: number): JsonObject =>
  levels === 0 ? { type: 'string' } : { type: 'object', properties: { a: nested(levels - 1) } };

describe('settings schemas of workspaces', () => {
  test('a settings schema of a workspace may use types, properties, bounds and lists of values', () => {
    const schema = {
      type: 'object',
      properties: {
        region: { type: 'string', enum: ['eu', 'us'], default: 'eu', title: 'Region', description: 'Where' },
        tags: { type: 'array', items: { type: 'string', maxLength: 20 }, maxItems: 5 },
      },
      required: ['region'],
      additionalProperties: false,
    };
    expect(problemsOf(schema)).toEqual([]);
    expect(tenantSchema(schema)).toEqual(schema);
  });

  test.each(['^[a-z]+$', '^[A-Za-z0-9-]{1,64}$', '^https?://', '^a\\.b-[0-9]{3}x?$', '^[a-z]+-[0-9]{1,10}$'])(
    'a settings schema of a workspace may use the pattern %s',
    (pattern) => {
      expect(problemsOf(withPattern(pattern))).toEqual([]);
    },
  );

  test.each([
    '^(a+)+$',
    '(a|a)*',
    'a+',
    '^a*a*$',
    '^a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?$',
    '^[a-z]{0,9999}[a-z]{0,9999}$',
    '^\\w+\\1',
    '^(?=a)',
  ])('a settings schema of a workspace may not use the pattern %s', (pattern) => {
    expect(problemsOf(withPattern(pattern))).toEqual(['schema.properties.a.pattern']);
    expect(tenantSchema(withPattern(pattern))).toEqual({
      type: 'object',
      properties: { a: { type: 'string' } },
    });
  });

  test.each([
    ['$ref', { $ref: '#' }],
    ['allOf', { allOf: [{ $ref: '#' }] }],
    ['not', { not: {} }],
    ['patternProperties', { patternProperties: { '^(a+)+$': {} } }],
    ['propertyNames', { propertyNames: { pattern: '^(a+)+$' } }],
    ['uniqueItems', { uniqueItems: true }],
    ['$defs', { $defs: {} }],
  ])('a settings schema of a workspace may not use %s', (keyword, part) => {
    expect(problemsOf({ type: 'object', ...(part as object) })).toEqual([`schema.${keyword}`]);
    expect(tenantSchema({ type: 'object', ...(part as object) })).toEqual({ type: 'object' });
  });

  test('a settings schema of a workspace may not be deep or long', () => {
    expect(problemsOf(nested(4))).toEqual([]);
    expect(problemsOf(nested(5))).toHaveLength(1);
    expect(problemsOf({ type: 'object', description: 'x'.repeat(20_001) })).toEqual(['schema']);
  });
});
