// Owns `npm run conformance -- <folder>...`: reads recorded answers, cut in many ways, with the real adapters, and compares the results with a plain reading.
import { parseArgs } from 'node:util';
import { openAdapters } from '../../test/conformance/adapters.ts';
import { type CaseResult, checkCase } from '../../test/conformance/check-case.ts';
import { readCases } from '../../test/conformance/recorded-case.ts';
import { reportOf } from '../../test/conformance/report.ts';

const USAGE = `Usage: npm run conformance -- [--seed <number>] [--places <number>] <folder>...
  <folder>   recorded cases (<kind>-<id>.body and .json) of one provider, or a folder of such folders
  --places   cuts of a long case, one at a time, beside whole and byte by byte; default 200
  --seed     of the random places; default: a new one`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: 'string' }, places: { type: 'string', default: '200' } },
});

if (positionals.length === 0) {
  console.error(USAGE);
  process.exit(2);
}

const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 32));
const places = Number(values.places);
console.log(`seed ${seed}`);

const adapters = openAdapters();
const results: CaseResult[] = [];
for (const recorded of positionals.flatMap(readCases)) {
  results.push(await checkCase(recorded, { adapterFor: adapters.get, places, seed }));
}
await adapters.close();

console.log(reportOf(results));
if (results.length === 0 || results.some(({ verdict }) => verdict === 'failed')) process.exitCode = 1;
