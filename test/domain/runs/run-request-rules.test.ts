import { expect, test } from 'vitest';
import type { RunRequest } from '../../../src/domain/runs/run-request.ts';
import { checkRunRequest } from '../../../src/domain/runs/run-request-rules.ts';
import { GatewayError } from '../../../src/kernel/errors.ts';

const request = (over: object): RunRequest => ({
  model: 'auto',
  onUnsupported: 'REFUSE',
  routing: {},
  onDetach: 'CONTINUE',
  detachGraceMs: 0,
  metadata: {},
  ...over,
});
const routing = (over: object) => ({ routing: over });

/** The path that is refused; `undefined` where the request is taken. */
function refusedPath(over: object): string | undefined {
  try {
    checkRunRequest(request(over));
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(GatewayError);
    expect((error as GatewayError).code).toBe('BAD_USER_INPUT');
    return (error as GatewayError).path;
  }
}

test.each<[string, object]>([
  ['the least', {}],
  ['a model’s name of 512 characters', { model: 'm'.repeat(512) }],
  ['an idempotency key of 255 characters', { idempotencyKey: 'k'.repeat(255) }],
  ['metadata with escapes as text', { metadata: { note: '\\u0000' } }],
  ['a grace of an hour', { detachGraceMs: 3_600_000 }],
  ['one attempt', routing({ maxAttempts: 1, maxAttemptsPerInstance: 1 })],
  ['ten attempts', routing({ maxAttempts: 10, maxAttemptsPerInstance: 10 })],
  ['no patience', routing({ patienceMs: 0 })],
  ['a day in all', routing({ totalMs: 86_400_000 })],
  ['a hundred exclusions', routing({ exclude: Array(100).fill('a') })],
  ['a price of nothing', routing({ maxPrice: { input: '0', output: '0' } })],
])('a request with %s is taken', (_what, over) => {
  expect(refusedPath(over)).toBeUndefined();
});

test.each<[string, object]>([
  ['model', { model: '' }],
  ['model', { model: '  ' }],
  ['model', { model: 'm'.repeat(513) }],
  ['model', { model: 'm\0' }],
  ['metadata', { metadata: [] }],
  ['metadata', { metadata: { a: '\ud800' } }],
  ['metadata', { metadata: { a: 'x'.repeat(1_000_000) } }],
  ['idempotencyKey', { idempotencyKey: '' }],
  ['idempotencyKey', { idempotencyKey: 'k'.repeat(256) }],
  ['idempotencyKey', { idempotencyKey: '\0' }],
  ['detachGraceMs', { detachGraceMs: -1 }],
  ['detachGraceMs', { detachGraceMs: 3_600_001 }],
  ['detachGraceMs', { detachGraceMs: 0.5 }],
  ['detachGraceMs', { detachGraceMs: Number.NaN }],
  ['routing.maxAttempts', routing({ maxAttempts: 0 })],
  ['routing.maxAttempts', routing({ maxAttempts: 11 })],
  ['routing.maxAttempts', routing({ maxAttempts: 1.5 })],
  ['routing.maxAttemptsPerInstance', routing({ maxAttemptsPerInstance: 0 })],
  ['routing.maxAttemptsPerInstance', routing({ maxAttemptsPerInstance: 11 })],
  ['routing.totalMs', routing({ totalMs: 0 })],
  ['routing.totalMs', routing({ totalMs: 86_400_001 })],
  ['routing.patienceMs', routing({ patienceMs: -1 })],
  ['routing.patienceMs', routing({ patienceMs: 600_001 })],
  ['routing.stickyKey', routing({ stickyKey: 's'.repeat(256) })],
  ['routing.exclude', routing({ exclude: Array(101).fill('a') })],
  ['routing.exclude[1]', routing({ exclude: ['a', 'x'.repeat(513)] })],
  ['routing.maxPrice.input', routing({ maxPrice: { input: '-1' } })],
  ['routing.maxPrice.output', routing({ maxPrice: { input: '1', output: '-1' } })],
])('a request is refused with the path %s (case %#)', (path, over) => {
  expect(refusedPath(over)).toBe(path);
});
