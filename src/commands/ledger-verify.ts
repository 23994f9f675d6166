// Owns `npm run ledger:verify`: proves that balances, reserved sums, holds and charges are what the ledger and the runs say.

import { LedgerCheckRepository } from '../storage/repositories/ledger-check.repository.ts';
import { withDatabase } from './with-database.ts';

await withDatabase('ledger-verify', async (storage) => {
  await storage.migrate();
  const ledger = new LedgerCheckRepository(storage);
  const wrong = await ledger.discrepancies();
  const { accounts, entries, holds } = await ledger.counts();
  process.stdout.write(`${accounts} accounts, ${entries} entries, ${holds} holds: `);
  if (wrong.length === 0) {
    process.stdout.write('the books are right.\n');
    return;
  }
  const lines = wrong.map(
    ({ rule, subject, expected, found }) => `  ${rule}: ${subject} has ${found}, not ${expected}`,
  );
  process.stdout.write(`the books are wrong.\n${lines.join('\n')}\n`);
  process.exitCode = 1;
});
