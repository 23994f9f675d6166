// Owns a description of everything that a database has in its schema: one line an object, so that two databases can be compared line by line.

const OBJECTS = `
  select format('column %s.%s #%s: %s%s%s%s%s', relname, attname, attnum, format_type(atttypid, atttypmod),
    case when attnotnull then ' not null' else '' end, ' default ' || pg_get_expr(adbin, adrelid),
    ' identity ' || nullif(attidentity::text, ''), ' generated ' || nullif(attgenerated::text, '')) as line
  from pg_attribute join pg_class on pg_class.oid = attrelid and relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v')
  left join pg_attrdef on adrelid = attrelid and adnum = attnum
  where attnum > 0 and not attisdropped
  union all
  select format('table %s %s %s', relname, relkind, reloptions) from pg_class
  where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'S')
  union all
  select format('index %s valid %s: %s', indexrelid::regclass, indisvalid, pg_get_indexdef(indexrelid)) from pg_index
  join pg_class on pg_class.oid = indrelid and relnamespace = 'public'::regnamespace
  union all
  select format('constraint %s on %s: %s', conname, conrelid::regclass, pg_get_constraintdef(oid)) from pg_constraint
  where connamespace = 'public'::regnamespace
  union all
  select format('trigger on %s, enabled %s: %s', tgrelid::regclass, tgenabled, pg_get_triggerdef(oid)) from pg_trigger
  where not tgisinternal
  union all
  select 'function ' || pg_get_functiondef(oid) from pg_proc
  where pronamespace = 'public'::regnamespace and prokind in ('f', 'p')`;

type Query = (text: string) => Promise<readonly { readonly line: string }[]>;

export async function describeDatabase(query: Query): Promise<string[]> {
  return (await query(OBJECTS)).map(({ line }) => line).sort();
}
