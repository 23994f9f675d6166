// Owns `npm run migrate`: brings the database's schema up to date without starting the gateway, which does the same at each start.
import { withDatabase } from './with-database.ts';

await withDatabase('migrate', async (storage) => {
  const applied = await storage.migrate();
  const words = applied.length === 0 ? 'The database was up to date.' : `Applied:\n  ${applied.join('\n  ')}`;
  process.stdout.write(`${words}\n`);
});
