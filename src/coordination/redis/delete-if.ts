// Owns the script that deletes a key only while it holds the given value, so that a node never deletes what another node has set since.
export const DELETE_IF =
  "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0";
