import { describe, expect, test } from 'vitest';
import { checkSettings, checkSettingsSchema } from '../../../src/domain/catalogue/settings-schema.ts';
import type { JsonObject } from '../../../src/kernel/json.ts';
import { refusedPaths } from '../../support/refused-paths.ts';

const object = (over: JsonObject = {}): JsonObject => ({ type: 'object', ...over });
const REGION = object({
  properties: {
    region: { type: 'string', enum: ['eu', 'us'] },
    limits: { properties: { 'a/b': { type: 'number' } } },
  },
  required: ['region'],
  additionalProperties: false,
});
const settings = (given: JsonObject, settingsSchema: JsonObject = REGION) =>
  refusedPaths((check) => checkSettings(check, 'settings', given, { settingsSchema }));
const schema = (given: JsonObject, ofWorkspace = false) =>
  refusedPaths((check) => checkSettingsSchema(check, 'schema', given, ofWorkspace));

describe('settings', () => {
  test.each<[JsonObject, readonly string[]]>([
    [{ region: 'eu' }, []],
    [{ region: 'eu', limits: { 'a/b': 1 } }, []],
    [{}, ['settings.region']],
    [{ region: 'mars' }, ['settings.region']],
    [{ region: 5 }, ['settings.region', 'settings.region']],
    [{ region: 'eu', more: 1 }, ['settings.more']],
    [{ more: 1 }, ['settings.region', 'settings.more']],
    [{ region: 'eu', limits: { 'a/b': 'x' } }, ['settings.limits.a/b']],
  ])('the settings %j break the schema at %j', (given, paths) => {
    expect(settings(given).sort()).toEqual([...paths].sort());
  });

  test('settings without a prototype’s names in them lack these', () => {
    expect(settings({}, object({ required: ['toString'] }))).toEqual(['settings.toString']);
  });

  test('a schema that cannot be used refuses settings instead of ending the process', () => {
    expect(settings({}, object({ properties: { a: { $ref: '#/nowhere' } } }))).toEqual(['settings']);
  });
});

describe('schemas', () => {
  test.each<[string, JsonObject, readonly string[]]>([
    ['of an object', REGION, []],
    ['with an id, twice', object({ $id: 'https://example.com/s' }), []],
    ['of no object', { type: 'string' }, ['schema']],
    ['without a type', {}, ['schema']],
    ['with a type that is none', object({ properties: { a: { type: 'text' } } }), ['schema']],
    ['with a reference to nowhere', object({ properties: { a: { $ref: '#/nowhere' } } }), ['schema']],
  ])('a schema %s has faults at %s', (_what, given, paths) => {
    expect(schema(given)).toEqual(paths);
    expect(schema(given)).toEqual(paths);
  });

  test('a schema of a workspace is bounded further than one of the installation', () => {
    const costly = object({ properties: { a: { type: 'string', pattern: '(a+)+$' } } });
    expect(schema(costly)).toEqual([]);
    expect(schema(costly, true)).not.toEqual([]);
  });
});
