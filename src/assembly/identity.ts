// Owns the assembly of identity, and of the snapshots that identity and the catalogue are served from.

import type { Config } from '../configuration/config.ts';
import { ChargeRules } from '../domain/billing/charge-rules.ts';
import { RevisionWatcher } from '../domain/catalogue/revision-watcher.ts';
import { SecretBinding } from '../domain/catalogue/secret-binding.ts';
import { CatalogueSnapshots } from '../domain/catalogue/snapshot.ts';
import { ApiKeyService } from '../domain/identity/api-key-service.ts';
import { AuditService } from '../domain/identity/audit-service.ts';
import { Authenticator } from '../domain/identity/authenticator.ts';
import { IdentityService } from '../domain/identity/identity-service.ts';
import { JwtVerifier } from '../domain/identity/jwt-verifier.ts';
import { KeyUses } from '../domain/identity/key-uses.ts';
import { SecretRotation } from '../domain/identity/secret-rotation.ts';
import { AuditRepository } from '../storage/repositories/audit.repository.ts';
import { IdentityRepository } from '../storage/repositories/identity.repository.ts';
import { SecretRepository } from '../storage/repositories/secret.repository.ts';
import type { Basics } from './basics.ts';
import type { Foundation } from './foundation.ts';

export type AssembledIdentity = Awaited<ReturnType<typeof assembleIdentity>>;

/** When it resolves, the workspace `default` and the administrator's key exist; the snapshots are not loaded yet. */
export async function assembleIdentity(
  config: Pick<Config, 'jwt' | 'defaultLimits' | 'billing'>,
  { clock, newId, logger, parts }: Basics,
  { storage, snapshotRepository, vault }: Pick<Foundation, 'storage' | 'snapshotRepository' | 'vault'>,
  bootstrapKey: string,
) {
  const repository = new IdentityRepository(storage);
  const uses = new KeyUses(repository, logger);
  parts.add('identity', () => uses.close());
  const refresh = () => watcher.refresh();
  const authenticator = new Authenticator({
    repository: snapshotRepository,
    clock,
    uses,
    refresh,
    jwt: config.jwt && new JwtVerifier(config.jwt),
    defaultLimits: config.defaultLimits,
  });
  parts.add('identity', () => authenticator.close());
  const charges = new ChargeRules(snapshotRepository, config.billing);
  const snapshots = new CatalogueSnapshots(snapshotRepository);
  const secretRepository = new SecretRepository(storage);
  const binding = new SecretBinding({ secrets: secretRepository, catalogueOf: (id) => snapshots.of(id) });
  const watcher = new RevisionWatcher(
    snapshotRepository,
    [
      (changed) => authenticator.reload(changed),
      (changed) => charges.reload(changed),
      (changed) => snapshots.reload(changed),
      (changed) => binding.bindUnbound(changed),
    ],
    logger,
  );
  const secrets = new SecretRotation(secretRepository, vault, refresh);
  await secrets.requireKeys();
  const needs = { repository, clock, newId, refresh };
  const identity = new IdentityService(needs);
  if (!(await identity.bootstrap(bootstrapKey))) {
    logger.warn(
      { setting: 'BOOTSTRAP_API_KEY' },
      'The first administrator’s key was revoked or rotated and stays so. Set BOOTSTRAP_API_KEY (without it: the file "bootstrap-api-key" in DATA_DIR) to a new key, or remove it',
    );
  }
  return {
    repository,
    authenticator,
    charges,
    snapshots,
    watcher,
    refresh,
    identity,
    apiKeys: new ApiKeyService(needs),
    secrets,
    binding,
    audit: new AuditService(new AuditRepository(storage)),
  };
}
