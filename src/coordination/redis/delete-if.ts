// Owns the script that deletes a key only as long as it holds the given value: what was taken is given back, and nobody else's.
export const DELETE_IF =
  "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0";
