// Owns where the key ring that seals secrets comes from: the environment, or in development a file that the first start makes.
import type { Config } from '../configuration/config.ts';
import { parseKeyRing, SecretVault } from '../domain/identity/secret-vault.ts';
import { StartError } from '../kernel/errors.ts';
import { keepInDataDir, makeKeyRing } from '../storage/data-dir.ts';

const KEY_RING_FILE = 'secret-keys';

/** Raises `StartError` that names the faulty entry. */
export function openVault(config: Config): SecretVault {
  const text = config.secretKeys?.reveal() ?? keepInDataDir(config.dataDir, KEY_RING_FILE, makeKeyRing);
  try {
    return new SecretVault(parseKeyRing(text), config.environment);
  } catch (error) {
    throw new StartError((error as Error).message);
  }
}
