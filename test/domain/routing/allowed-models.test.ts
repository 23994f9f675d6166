import { expect, test } from 'vitest';
import { mayUse } from '../../../src/domain/routing/allowed-models.ts';
import { candidatesOfModel, selectCandidates } from '../../../src/domain/routing/candidates.ts';
import { catalogueOf } from '../../support/routing-catalogue.ts';

const catalogue = catalogueOf({
  instances: [{ slug: 'writer', model: 'x', tags: ['chat', 'fast'] }],
  models: { z: {} },
});
const instance = selectCandidates(catalogue, 'writer').named[0]!;
const implicit = candidatesOfModel(catalogue, 'p/z')[0]!;

test.each([
  [['writer'], true],
  [['p/x'], true],
  [['p/*'], true],
  [['tag:fast'], true],
  [['tag:slow', 'tag:chat'], true],
  [[], false],
  [['p/z', 'q/*', 'tag:slow'], false],
  [['x'], false],
  [['chat'], false],
  [['tag:writer'], false],
  [['*'], false],
])(
  'a key that may use %j may use an instance by its slug, model, tag or provider: %s',
  (allowed, expected) => {
    expect(mayUse(instance, new Set(allowed))).toBe(expected);
  },
);

test.each([
  [['p/z'], true],
  [['p/*'], true],
  [['p/z@c'], false],
  [['p/x'], false],
])(
  'a key that may use %j may use a model without an instance by its id or provider: %s',
  (allowed, expected) => {
    expect(mayUse(implicit, new Set(allowed))).toBe(expected);
  },
);
