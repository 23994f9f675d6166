import { expect, test } from 'vitest';
import { ChargeRules } from '../../../src/domain/billing/charge-rules.ts';
import type { Viewer } from '../../../src/domain/identity/viewer.ts';
import type { SnapshotRepository } from '../../../src/storage/repositories/snapshot.repository.ts';

const BUDGETS = [
  { id: 'whole', workspaceId: 'budgeted', caller: null },
  { id: 'mine', workspaceId: 'budgeted', caller: 'key:me' },
  { id: 'hers', workspaceId: 'budgeted', caller: 'key:she' },
  { id: 'alone', workspaceId: 'single', caller: 'key:she' },
];

async function rules(billing: boolean, rows: readonly object[] = BUDGETS): Promise<ChargeRules> {
  const made = new ChargeRules({ rows: async () => rows } as unknown as SnapshotRepository, billing);
  await made.reload(new Set(['budget']));
  return made;
}
const viewer = (workspaceId: string, caller = 'key:me') => ({ workspaceId, caller }) as Viewer;

test.each([
  ['off', 'nobody’s', undefined],
  ['on', 'nobody’s', { onAccount: true, budgetIds: [] }],
  ['off', 'budgeted', { onAccount: false, budgetIds: ['whole', 'mine'] }],
  ['on', 'budgeted', { onAccount: true, budgetIds: ['whole', 'mine'] }],
  ['off', 'single', undefined],
  ['on', 'single', { onAccount: true, budgetIds: [] }],
] as const)(
  'with billing %s, a call in the workspace "%s" is paid for by %j',
  async (billing, workspace, charge) => {
    expect((await rules(billing === 'on')).chargeFor(viewer(workspace))).toEqual(charge);
  },
);

test('a budget of one caller is not spent by another', async () => {
  const made = await rules(false);
  expect(made.chargeFor(viewer('budgeted', 'key:she'))?.budgetIds).toEqual(['whole', 'hers']);
  expect(made.chargeFor(viewer('budgeted', 'sub:stranger'))?.budgetIds).toEqual(['whole']);
});

test.each([
  ['off', 'nobody’s', false],
  ['on', 'nobody’s', true],
  ['off', 'single', true],
] as const)('with billing %s, money is held in the workspace "%s": %s', async (billing, workspace, holds) => {
  expect((await rules(billing === 'on')).holdsMoney(workspace)).toBe(holds);
});

test('budgets are read anew only when budgets have changed', async () => {
  let rows: readonly object[] = [];
  const made = new ChargeRules({ rows: async () => rows } as unknown as SnapshotRepository, false);
  rows = BUDGETS;
  await made.reload(new Set(['provider_config']));
  expect(made.holdsMoney('budgeted')).toBe(false);
  await made.reload(new Set(['budget', 'provider_config']));
  expect(made.holdsMoney('budgeted')).toBe(true);
  rows = [];
  await made.reload(new Set(['budget']));
  expect(made.holdsMoney('budgeted')).toBe(false);
});
