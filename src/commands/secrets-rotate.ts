// Owns `npm run secrets:rotate`: seals every secret again with the first key of the ring. A gateway on the same database keeps running.

import { openVault } from '../assembly/key-ring.ts';
import { SecretRotation } from '../domain/identity/secret-rotation.ts';
import { SecretRepository } from '../storage/repositories/secret.repository.ts';
import { withDatabase } from './with-database.ts';

await withDatabase('secrets-rotate', async (storage, config) => {
  await storage.migrate();
  const rotation = new SecretRotation(new SecretRepository(storage), openVault(config));
  await rotation.requireKeys();
  const { keyId, resealed } = await rotation.rotateAs('operator');
  process.stdout.write(`${resealed} configs were sealed anew by the key "${keyId}".\n`);
});
