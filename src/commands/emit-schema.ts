// Owns `npm run schema`: writes the graph as SDL to schema/schema.graphql, or with `--check` says whether that is up to date.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { lexicographicSortSchema, printSchema } from 'graphql';
import { buildGraphSchema } from '../graphql/schema.ts';

const FOLDER = 'schema';
const PATH = `${FOLDER}/schema.graphql`;

const sdl = `${printSchema(lexicographicSortSchema(buildGraphSchema()))}\n`;
if (process.argv.includes('--check')) {
  if (!existsSync(PATH) || readFileSync(PATH, 'utf8') !== sdl) {
    process.stderr.write(`${PATH} is not up to date; run "npm run schema" and commit it\n`);
    process.exitCode = 1;
  }
} else {
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(PATH, sdl);
}
