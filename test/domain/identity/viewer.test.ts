import { expect, test } from 'vitest';
import {
  hasScope,
  requireInstallationAdmin,
  requireScope,
  type Viewer,
} from '../../../src/domain/identity/viewer.ts';
import type { Scope } from '../../../src/kernel/scope.ts';

const viewer = (scopes: readonly Scope[], installationAdmin = false) =>
  ({ scopes: new Set(scopes), installationAdmin }) as unknown as Viewer;
const forbidden = expect.objectContaining({ code: 'FORBIDDEN' });

test.each<[readonly Scope[], readonly Scope[], boolean]>([
  [['run'], ['run'], true],
  [['run'], ['catalogue', 'run'], true],
  [['run'], ['catalogue'], false],
  [['run', 'read'], [], false],
  [['admin'], ['run'], true],
  [['admin'], [], true],
  [[], ['run', 'read'], false],
])('a viewer with the scopes %j may do what needs any of %j: %s', (scopes, anyOf, expected) => {
  expect(hasScope(viewer(scopes), ...anyOf)).toBe(expected);
  const require = () => requireScope(viewer(scopes), ...anyOf);
  if (expected) require();
  else expect(require).toThrow(forbidden);
});

test('an administrator of a workspace does not administer the installation by that', () => {
  expect(() => requireInstallationAdmin(viewer(['admin']))).toThrow(forbidden);
  requireInstallationAdmin(viewer(['admin'], true));
});
