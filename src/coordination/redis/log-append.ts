// Owns the script that writes what several runs have to say: one command, and one word to all nodes.
import type { Redis } from 'ioredis';

export interface LogGrowth {
  readonly key: string;
  /** How long the log is kept from now; 0: as it is. */
  readonly keepMs: number;
  readonly entries: readonly { readonly seq: number; readonly text: string; readonly isEnd: boolean }[];
}

/** Entries of one log; the oldest go first. */
export const MAX_ENTRIES = 250_000;

/** For each key how many entries, how long it is kept, and the entries. A repeat that Redis refuses is there already. */
const APPEND = `
local at = 3
for _, key in ipairs(KEYS) do
  local count, keep_ms = tonumber(ARGV[at]), ARGV[at + 1]
  at = at + 2
  for _ = 1, count do
    local id, text = ARGV[at] .. '-0', ARGV[at + 1]
    local added
    if ARGV[at + 2] == '1' then added = redis.pcall('XADD', key, 'MAXLEN', '~', ${MAX_ENTRIES}, id, 'e', text, 'end', '1')
    else added = redis.pcall('XADD', key, 'MAXLEN', '~', ${MAX_ENTRIES}, id, 'e', text) end
    if type(added) == 'table' and added.err and not string.find(added.err, 'equal or smaller', 1, true) then return added end
    at = at + 3
  end
  if keep_ms ~= '0' then redis.call('PEXPIRE', key, keep_ms) end
end
if ARGV[2] ~= '' then redis.call('PUBLISH', ARGV[1], ARGV[2]) end`;

interface Scripts {
  logAppend(keys: number, ...args: (string | number)[]): Promise<unknown>;
}

/** To be defined on the connection before the first use. */
export const LOG_SCRIPTS = { logAppend: APPEND };

/** Adds to each log what it lacks, and tells the word on the channel, unless it is empty. */
export function appendToLogs(
  redis: Redis,
  logs: readonly LogGrowth[],
  { channel, word }: { readonly channel: string; readonly word: string },
): Promise<unknown> {
  const told: (string | number)[] = [channel, word];
  for (const { keepMs, entries } of logs) {
    told.push(entries.length, keepMs);
    for (const { seq, text, isEnd } of entries) told.push(seq, text, isEnd ? 1 : 0);
  }
  const keys = logs.map(({ key }) => key);
  return (redis as unknown as Redis & Scripts).logAppend(keys.length, ...keys, ...told);
}
