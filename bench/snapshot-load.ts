// Owns the measure of how long a node takes to load the whole catalogue into memory, as it does after a change.
import { loadCatalogueData } from '../dist/src/domain/catalogue/catalogue-data.js';
import { seedCatalogue } from '../dist/src/domain/catalogue/catalogue-seed.js';
import { CatalogueSnapshots } from '../dist/src/domain/catalogue/snapshot.js';
import { systemClock } from '../dist/src/kernel/clock.js';
import { newId } from '../dist/src/kernel/ids.js';
import { openStorage } from '../dist/src/storage/orm.js';
import { SeedRepository } from '../dist/src/storage/repositories/seed.repository.js';
import { SNAPSHOT_TABLES, SnapshotRepository } from '../dist/src/storage/repositories/snapshot.repository.js';

const ROUNDS = 7;

const storage = await openStorage({
  dataDir: 'memory://',
  connections: 2,
  acquireTimeoutMs: 5_000,
  statementTimeoutMs: 60_000,
  applicationName: 'modelgraph-bench',
});
await storage.migrate();
await seedCatalogue(
  { repository: new SeedRepository(storage), clock: systemClock, newId },
  await loadCatalogueData(),
);
const snapshots = new CatalogueSnapshots(new SnapshotRepository(storage));
const times: number[] = [];
for (let round = 0; round < ROUNDS; round += 1) {
  const begun = performance.now();
  await snapshots.reload(new Set(SNAPSHOT_TABLES));
  snapshots.of(newId());
  times.push(performance.now() - begun);
}
process.stdout.write(`${JSON.stringify({ times })}\n`);
process.exit(0);
