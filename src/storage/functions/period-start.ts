// Owns `period_start`: the beginning of a budget’s present period. Periods are those of the calendar in UTC.
import type { DatabaseFunction } from './database-function.ts';

export const periodStart: DatabaseFunction = {
  name: 'period_start',
  version: 1,
  text: `
    create or replace function period_start(period text) returns timestamptz language sql stable as $$
      select case period
        when 'TOTAL' then 'epoch'::timestamptz
        else date_trunc(lower(period), now() at time zone 'UTC') at time zone 'UTC'
      end
    $$`,
};
