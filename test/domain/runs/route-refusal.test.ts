import { expect, test } from 'vitest';
import type { Route } from '../../../src/domain/routing/planner.ts';
import type { ReasonCode } from '../../../src/domain/routing/route-plan.ts';
import { type RefusalHints, refuseRoute } from '../../../src/domain/runs/route-refusal.ts';

const routeOf = (codes: readonly ReasonCode[], over: object = {}) =>
  ({
    unknown: false,
    candidates: [],
    plan: {
      model: 'asked',
      kind: 'MODEL',
      candidates: codes.map((code, at) => ({ label: `c${at}`, code, reason: `Reason of ${code}` })),
      ...over,
    },
  }) as unknown as Route;
const hints = (over: Partial<RefusalHints> = {}): RefusalHints => ({
  nearNames: () => [],
  lack: () => null,
  ...over,
});
const unasked = (): never => {
  throw new Error('This hint was not to be asked for');
};

test.each<[ReasonCode, string]>([
  ['OUTPUT_NOT_TEXT', 'CAPABILITY_MISSING'],
  ['CAPABILITY_MISSING', 'CAPABILITY_MISSING'],
  ['MAX_TOKENS_TOO_HIGH', 'BAD_USER_INPUT'],
  ['CONTEXT_TOO_SMALL', 'CONTEXT_LENGTH_EXCEEDED'],
  ['UNPRICED', 'UNPRICED_MODEL'],
  ['NOT_ALLOWED', 'FORBIDDEN'],
  ['INSTANCE_DISABLED', 'MODEL_UNAVAILABLE'],
  ['NO_CREDENTIALS', 'MODEL_UNAVAILABLE'],
  ['CIRCUIT_OPEN', 'MODEL_UNAVAILABLE'],
])('a route that lacks candidates for %s is refused with %s', (reason, code) => {
  const error = refuseRoute(routeOf([reason]), hints({ nearNames: unasked, lack: unasked }));
  expect(error).toMatchObject({ code, message: `Reason of ${reason}`, extensions: { reason } });
});

test('a reason that lies in the request is told before one that does not', () => {
  const error = refuseRoute(routeOf(['INSTANCE_DISABLED', 'CONTEXT_TOO_SMALL', 'UNPRICED']), hints());
  expect(error.code).toBe('CONTEXT_LENGTH_EXCEEDED');
});

test('a refusal points at the field that the caller can change', () => {
  expect(refuseRoute(routeOf(['MAX_TOKENS_TOO_HIGH']), hints()).path).toBe('parameters.maxTokens');
  expect(refuseRoute(routeOf(['UNPRICED']), hints()).path).toBe('model');
});

test('a refusal lists five candidates at most', () => {
  const error = refuseRoute(routeOf(Array<ReasonCode>(9).fill('INSTANCE_DISABLED')), hints());
  expect((error.extensions.candidates as unknown[]).length).toBe(5);
});

test('a model that is known and that nobody can call is refused with what it lacks', () => {
  const error = refuseRoute(routeOf([]), hints({ lack: () => 'It lacks a key' }));
  expect(error).toMatchObject({ code: 'MODEL_UNAVAILABLE', path: 'model' });
  expect(error.message).toContain('It lacks a key');
});

test.each(['AUTO', 'TAG'] as const)(
  'a name of the kind %s without candidates asks for nothing that a model lacks',
  (kind) => {
    expect(refuseRoute(routeOf([], { kind }), hints({ lack: unasked })).code).toBe('MODEL_UNAVAILABLE');
  },
);

test('an unknown name is refused with every near name, and with what the best of them lacks', () => {
  const nearNames = () => [
    { name: 'openai/gpt-4o', lack: 'It lacks a key' },
    { name: 'azure/gpt-4o', lack: 'It lacks a config' },
    { name: 'writer', lack: undefined as never },
  ];
  const error = refuseRoute({ ...routeOf([]), unknown: true }, hints({ nearNames }));
  expect(error).toMatchObject({
    code: 'MODEL_NOT_FOUND',
    path: 'model',
    extensions: { suggestions: ['openai/gpt-4o', 'azure/gpt-4o', 'writer'] },
  });
  for (const part of ['"openai/gpt-4o"', '"azure/gpt-4o"', '"writer"', 'It lacks a key'])
    expect(error.message).toContain(part);
  expect(error.message).not.toContain('It lacks a config');
});

test('an unknown name without near names has no suggestions, and a long one is cut', () => {
  const error = refuseRoute({ ...routeOf([], { model: 'x'.repeat(10_000) }), unknown: true }, hints());
  expect(error.extensions).toEqual({});
  expect(error.message.length).toBeLessThan(400);
});
