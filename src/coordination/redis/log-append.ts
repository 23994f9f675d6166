// Owns the scripts that write logs: one command appends the events of several runs and notifies all nodes; another adds, in one step, an end that the
// owner of the run has not written.
import type { Redis } from 'ioredis';

export interface LogEntry {
  readonly seq: number;
  readonly text: string;
  readonly isEnd: boolean;
}

export interface LogGrowth {
  readonly key: string;
  /** How long the log is kept from now, in milliseconds; 0: the time that was set before stays. */
  readonly keepMs: number;
  readonly entries: readonly LogEntry[];
}

export interface LogEnding {
  readonly key: string;
  readonly keepMs: number;
  /** The first place that the entries cover; 0: the end is added whatever the log holds. */
  readonly fromSeq: number;
  readonly entries: readonly LogEntry[];
}

interface Word {
  readonly channel: string;
  readonly word: string;
}

/** The most entries that one log keeps; the oldest are dropped first. */
const MAX_ENTRIES = 250_000;

/** Adds the entry whose `seq`, text and end mark stand in `ARGV` from index `at` on. */
const ADD = `
local function add(key, at)
  local id = ARGV[at] .. '-0'
  if ARGV[at + 2] == '1' then return redis.pcall('XADD', key, 'MAXLEN', '~', ${MAX_ENTRIES}, id, 'e', ARGV[at + 1], 'end', '1') end
  return redis.pcall('XADD', key, 'MAXLEN', '~', ${MAX_ENTRIES}, id, 'e', ARGV[at + 1])
end
local function is_error(answer) return type(answer) == 'table' and answer.err end`;

/**
 * Takes, for each key, the number of entries, the time that the log is kept, and the entries. Answers the indexes (from 1) of the keys that refused an
 * entry: Redis has that entry already, or another node has written an end before it.
 */
const APPEND = `${ADD}
local at, refusing = 3, {}
for place, key in ipairs(KEYS) do
  local count, keep_ms, refused = tonumber(ARGV[at]), ARGV[at + 1], false
  at = at + 2
  for _ = 1, count do
    local added = add(key, at)
    if is_error(added) then
      if not string.find(added.err, 'equal or smaller', 1, true) then return added end
      refused = true
    end
    at = at + 3
  end
  if refused then table.insert(refusing, place) end
  if keep_ms ~= '0' then redis.call('PEXPIRE', key, keep_ms) end
end
if ARGV[2] ~= '' then redis.call('PUBLISH', ARGV[1], ARGV[2]) end
return refusing`;

/** Does nothing to a log that has its end, or that does not reach up to where the entries begin. */
const CONCLUDE = `${ADD}
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
if last and #last[2] > 2 then return 0 end
local last_seq = last and tonumber(string.match(last[1], '^%d+')) or 0
if ARGV[4] ~= '0' and tonumber(ARGV[4]) ~= last_seq + 1 then return 0 end
for at = 5, #ARGV, 3 do
  local added = add(KEYS[1], at)
  if is_error(added) then
    if string.find(added.err, 'equal or smaller', 1, true) then return 0 end
    return added
  end
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('PUBLISH', ARGV[1], ARGV[2])
return 1`;

interface Scripts {
  logAppend(keys: number, ...args: (string | number)[]): Promise<number[]>;
  logConclude(keys: number, ...args: (string | number)[]): Promise<number>;
}

/** Scripts to define on the connection before their first use. */
export const LOG_SCRIPTS = { logAppend: APPEND, logConclude: CONCLUDE };

/** Adds to each log the given entries, and publishes the word on the channel unless it is empty. Answers the indexes of the logs that refused an entry. */
export async function appendToLogs(
  redis: Redis,
  logs: readonly LogGrowth[],
  { channel, word }: Word,
): Promise<ReadonlySet<number>> {
  const told: (string | number)[] = [channel, word];
  for (const { keepMs, entries } of logs) {
    told.push(entries.length, keepMs);
    pushEntries(told, entries);
  }
  const keys = logs.map(({ key }) => key);
  const refusing = await (redis as Redis & Scripts).logAppend(keys.length, ...keys, ...told);
  return new Set(refusing.map((place) => place - 1));
}

/** Adds the end of a log and the events that it lacks before it, and publishes the word; does nothing if the log has its end. */
export async function concludeLog(
  redis: Redis,
  { key, keepMs, fromSeq, entries }: LogEnding,
  { channel, word }: Word,
): Promise<void> {
  const told: (string | number)[] = [channel, word, keepMs, fromSeq];
  pushEntries(told, entries);
  await (redis as Redis & Scripts).logConclude(1, key, ...told);
}

function pushEntries(told: (string | number)[], entries: readonly LogEntry[]): void {
  for (const { seq, text, isEnd } of entries) told.push(seq, text, isEnd ? 1 : 0);
}
