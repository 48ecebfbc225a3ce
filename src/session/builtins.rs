//! What the query engine's own functions take and yield, and how each is called: it tells by itself only what they are for.
//!
//! Functions of `functions` and of the tables say this where they are. A test runs every example, and finds what is missing
//! here and what is no more.

/// A function of the query engine's, or of the session's in its place.
pub(super) struct Builtin {
    pub(super) name: &'static str,
    /// The types of its arguments, as SQL writes them.
    pub(super) arguments: &'static str,
    /// The type of its values.
    pub(super) returns: &'static str,
    /// A query that calls it, without its SELECT.
    pub(super) example: &'static str,
}

/// Makes a list of lines.
macro_rules! builtins {
    ($($name:literal($arguments:literal) $returns:literal $example:literal;)*) => {
        &[$(Builtin { name: $name, arguments: $arguments, returns: $returns, example: $example },)*]
    };
}

/// Those of expressions. One of another name for the same is called as it is.
pub(super) const SCALARS: &[Builtin] = builtins! {
    "array_add"("double precision[], double precision[]") "double precision[]" "array_add(ARRAY[1.0, 2.0], ARRAY[3.0, 4.0])";
    "array_any_value"("anyarray") "anyelement" "array_any_value(ARRAY[NULL, 2, 3])";
    "array_avg"("anyarray") "double precision" "array_avg(ARRAY[1, 2, 6])";
    "array_compact"("anyarray") "anyarray" "array_compact(ARRAY[1, NULL, 3])";
    "array_concat"("anyarray, anyarray, …") "anyarray" "array_concat(ARRAY[1, 2], ARRAY[3])";
    "array_distance"("double precision[], double precision[]") "double precision" "array_distance(ARRAY[0.0, 0.0], ARRAY[3.0, 4.0])";
    "array_distinct"("anyarray") "anyarray" "array_distinct(ARRAY[1, 2, 1])";
    "array_element"("anyarray, bigint") "anyelement" "array_element(ARRAY['a', 'b'], 2)";
    "array_except"("anyarray, anyarray") "anyarray" "array_except(ARRAY[1, 2, 3], ARRAY[2])";
    "array_has"("anyarray, anyelement") "boolean" "array_has(ARRAY[1, 2], 2)";
    "array_has_all"("anyarray, anyarray") "boolean" "array_has_all(ARRAY[1, 2, 3], ARRAY[1, 3])";
    "array_has_any"("anyarray, anyarray") "boolean" "array_has_any(ARRAY[1, 2], ARRAY[2, 5])";
    "array_indexof"("anyarray, anyelement, integer") "bigint" "array_indexof(ARRAY['a', 'b'], 'b')";
    "array_intersect"("anyarray, anyarray") "anyarray" "array_intersect(ARRAY[1, 2, 3], ARRAY[2, 3, 4])";
    "array_join"("anyarray, text, text") "text" "array_join(ARRAY['a', NULL, 'c'], ',', '-')";
    "array_max"("anyarray") "anyelement" "array_max(ARRAY[3, 1, 2])";
    "array_min"("anyarray") "anyelement" "array_min(ARRAY[3, 1, 2])";
    "array_normalize"("double precision[]") "double precision[]" "array_normalize(ARRAY[3.0, 4.0])";
    "array_pop_back"("anyarray") "anyarray" "array_pop_back(ARRAY[1, 2, 3])";
    "array_pop_front"("anyarray") "anyarray" "array_pop_front(ARRAY[1, 2, 3])";
    "array_product"("anyarray") "double precision" "array_product(ARRAY[2, 3, 4])";
    "array_push_back"("anyarray, anyelement") "anyarray" "array_push_back(ARRAY[1, 2], 3)";
    "array_push_front"("anyelement, anyarray") "anyarray" "array_push_front(1, ARRAY[2, 3])";
    "array_remove_all"("anyarray, anyelement") "anyarray" "array_remove_all(ARRAY[1, 2, 1], 1)";
    "array_remove_n"("anyarray, anyelement, bigint") "anyarray" "array_remove_n(ARRAY[1, 2, 1, 1], 1, 2)";
    "array_repeat"("anyelement, bigint") "anyarray" "array_repeat('a', 3)";
    "array_replace_all"("anyarray, anyelement, anyelement") "anyarray" "array_replace_all(ARRAY[1, 2, 1], 1, 5)";
    "array_replace_n"("anyarray, anyelement, anyelement, bigint") "anyarray" "array_replace_n(ARRAY[1, 2, 1, 1], 1, 5, 2)";
    "array_resize"("anyarray, bigint, anyelement") "anyarray" "array_resize(ARRAY[1, 2], 4, 0)";
    "array_reverse"("anyarray") "anyarray" "array_reverse(ARRAY[1, 2, 3])";
    "array_scale"("double precision[], double precision") "double precision[]" "array_scale(ARRAY[1.0, 2.0], 3.0)";
    "array_slice"("anyarray, bigint, bigint") "anyarray" "array_slice(ARRAY[1, 2, 3, 4], 2, 3)";
    "array_sort"("anyarray, text, text") "anyarray" "array_sort(ARRAY[2, 3, 1], 'DESC', 'NULLS LAST')";
    "array_subtract"("double precision[], double precision[]") "double precision[]" "array_subtract(ARRAY[3.0, 4.0], ARRAY[1.0, 2.0])";
    "array_sum"("anyarray") "double precision" "array_sum(ARRAY[1, 2, 3])";
    "array_union"("anyarray, anyarray") "anyarray" "array_union(ARRAY[1, 2], ARRAY[2, 3])";
    "arrays_zip"("anyarray, anyarray, …") "record[]" "arrays_zip(ARRAY[1, 2], ARRAY['a', 'b'])";
    "arrow_cast"("any, text") "any" "arrow_cast(1, 'Float32')";
    "arrow_field"("any") "record" "arrow_field(1)";
    "arrow_metadata"("any, text") "text" "arrow_metadata(with_metadata(1, 'unit', 'm'), 'unit')";
    "arrow_try_cast"("any, text") "any" "arrow_try_cast('x', 'Float32')";
    "arrow_typeof"("any") "text" "arrow_typeof(1::bigint)";
    "ascii"("text") "integer" "ascii('A')";
    "cast_to_type"("any, anyelement") "anyelement" "cast_to_type('5', 0::bigint)";
    "clock_timestamp"("") "timestamp with time zone" "clock_timestamp() >= now()";
    "coalesce"("anyelement, …") "anyelement" "coalesce(NULL, 5, 6)";
    "contains"("text, text") "boolean" "contains('fusewire', 'wire')";
    "cosine_distance"("double precision[], double precision[]") "double precision" "cosine_distance(ARRAY[1.0, 0.0], ARRAY[0.0, 1.0])";
    "current_catalog"("") "text" "current_catalog";
    "current_database"("") "text" "current_database()";
    "current_date"("") "date" "current_date <= now()";
    "current_role"("") "text" "current_role";
    "current_schema"("") "text" "current_schema()";
    "current_schemas"("boolean") "text[]" "current_schemas(false)";
    "current_setting"("text, boolean") "text" "current_setting('timezone', true)";
    "current_time"("") "time with time zone" "current_time IS NOT NULL";
    "current_user"("") "name" "current_user";
    "date_format"("timestamp, text") "text" "date_format(timestamp '2024-02-29 12:00:00', '%Y-%m')";
    "datepart"("text, timestamp") "integer" "datepart('month', date '2024-02-29')";
    "datetrunc"("text, timestamp") "timestamp" "datetrunc('month', timestamp '2024-02-29 12:00:00')";
    "digest"("text, text") "bytea" "digest('abc', 'sha256')";
    "empty"("anyarray") "boolean" "empty(ARRAY[1])";
    "ends_with"("text, text") "boolean" "ends_with('fusewire', 'wire')";
    "find_in_set"("text, text") "integer" "find_in_set('b', 'a,b,c')";
    "flatten"("anyarray") "anyarray" "flatten(ARRAY[[1, 2], [3, 4]])";
    "from_unixtime"("bigint, text") "timestamp" "from_unixtime(1700000000)";
    "gen_random_uuid"("") "uuid" "gen_random_uuid()";
    "generate_series"("bigint, bigint, bigint") "bigint[]" "generate_series(1, 7, 3)";
    "get_field"("record, text") "any" "get_field(named_struct('a', 1), 'a')";
    "getdatabaseencoding"("") "name" "getdatabaseencoding()";
    "greatest"("anyelement, …") "anyelement" "greatest(1, 3, 2)";
    "initcap"("text") "text" "initcap('hello world')";
    "inet_client_addr"("") "inet" "inet_client_addr()";
    "inet_client_port"("") "integer" "inet_client_port()";
    "inet_server_addr"("") "inet" "inet_server_addr()";
    "inet_server_port"("") "integer" "inet_server_port()";
    "inner_product"("double precision[], double precision[]") "double precision" "inner_product(ARRAY[1.0, 2.0], ARRAY[3.0, 4.0])";
    "isnan"("double precision") "boolean" "isnan('NaN'::float8)";
    "iszero"("double precision") "boolean" "iszero(0::float8)";
    "least"("anyelement, …") "anyelement" "least(1, 3, 2)";
    "list_indexof"("anyarray, anyelement, integer") "bigint" "list_indexof(ARRAY['a', 'b'], 'b')";
    "list_join"("anyarray, text, text") "text" "list_join(ARRAY['a', NULL, 'c'], ',', '-')";
    "list_push_back"("anyarray, anyelement") "anyarray" "list_push_back(ARRAY[1, 2], 3)";
    "list_push_front"("anyelement, anyarray") "anyarray" "list_push_front(1, ARRAY[2, 3])";
    "localtime"("") "time without time zone" "localtime IS NOT NULL";
    "localtimestamp"("") "timestamp without time zone" "localtimestamp <= now() + interval '1 day'";
    "log2"("double precision") "double precision" "log2(8::float8)";
    "lower"("text") "text" "lower('ABC')";
    "make_array"("anyelement, …") "anyarray" "make_array(1, 2, 3)";
    "map"("anyarray, anyarray") "json" "map(ARRAY['a', 'b'], ARRAY[1, 2])";
    "map_entries"("json") "record[]" "map_entries(map(ARRAY['a'], ARRAY[1]))";
    "map_extract"("json, any") "anyarray" "map_extract(map(ARRAY['a', 'b'], ARRAY[1, 2]), 'b')";
    "map_keys"("json") "anyarray" "map_keys(map(ARRAY['a', 'b'], ARRAY[1, 2]))";
    "map_values"("json") "anyarray" "map_values(map(ARRAY['a', 'b'], ARRAY[1, 2]))";
    "named_struct"("text, any, …") "record" "named_struct('a', 1, 'b', 'x')";
    "nanvl"("double precision, double precision") "double precision" "nanvl('NaN'::float8, 0::float8)";
    "now"("") "timestamp with time zone" "now() IS NOT NULL";
    "nullif"("anyelement, anyelement") "anyelement" "nullif(5, 0)";
    "nvl"("anyelement, anyelement") "anyelement" "nvl(NULL, 5)";
    "nvl2"("any, anyelement, anyelement") "anyelement" "nvl2(NULL, 'there', 'missing')";
    "pg_advisory_unlock_all"("") "void" "pg_advisory_unlock_all()";
    "pg_backend_pid"("") "integer" "pg_backend_pid() > 0";
    "pg_cancel_backend"("integer") "boolean" "pg_cancel_backend(0)";
    "pg_client_encoding"("") "text" "pg_client_encoding()";
    "pg_is_in_recovery"("") "boolean" "pg_is_in_recovery()";
    "pg_listening_channels"("") "setof text" "pg_listening_channels()";
    "pg_my_temp_schema"("") "oid" "pg_my_temp_schema()";
    "pg_notification_queue_usage"("") "double precision" "pg_notification_queue_usage()";
    "pg_notify"("text, text") "void" "pg_notify('orders', '42 was paid')";
    "pg_partition_ancestors"("oid") "setof oid" "pg_partition_ancestors(1259)";
    "pg_sleep"("double precision") "void" "pg_sleep(0.01)";
    "pg_terminate_backend"("integer, bigint") "boolean" "pg_terminate_backend(0)";
    "random"("") "double precision" "random() < 1";
    "range"("bigint, bigint, bigint") "bigint[]" "range(0, 6, 2)";
    "regexp_like"("text, text, text") "boolean" "regexp_like('fusewire', '^fuse')";
    "row"("any, …") "record" "row(1, 'a')";
    "session_user"("") "text" "session_user";
    "set_config"("text, text, boolean") "text" "set_config('application_name', 'report', false)";
    "signum"("double precision") "double precision" "signum(-2.5::float8)";
    "split_part"("text, text, integer") "text" "split_part('a,b,c', ',', 2)";
    "starts_with"("text, text") "boolean" "starts_with('fusewire', 'fuse')";
    "statement_timestamp"("") "timestamp with time zone" "statement_timestamp() >= now()";
    "string_to_list"("text, text, text") "text[]" "string_to_list('a,b,-', ',', '-')";
    "strpos"("text, text") "integer" "strpos('fusewire', 'wire')";
    "struct"("any, …") "record" "struct(1, 'a')";
    "substr_index"("text, text, bigint") "text" "substr_index('a.b.c', '.', 2)";
    "timeofday"("") "text" "timeofday()";
    "to_local_time"("timestamp with time zone") "timestamp" "to_local_time(timestamptz '2024-07-01 12:00:00+00')";
    "to_time"("text, text") "time without time zone" "to_time('10:30:00')";
    "to_timestamp_micros"("bigint") "timestamp with time zone" "to_timestamp_micros(1700000000000000)";
    "to_timestamp_millis"("bigint") "timestamp with time zone" "to_timestamp_millis(1700000000000)";
    "to_timestamp_nanos"("bigint") "timestamp with time zone" "to_timestamp_nanos(1700000000000000000)";
    "to_timestamp_seconds"("bigint") "timestamp with time zone" "to_timestamp_seconds(1700000000)";
    "to_unixtime"("timestamp, text") "bigint" "to_unixtime(timestamp '2024-01-01')";
    "today"("") "date" "today() <= now()";
    "transaction_timestamp"("") "timestamp with time zone" "transaction_timestamp() = now()";
    "translate"("text, text, text") "text" "translate('12345', '143', 'ax')";
    "trim"("text, text") "text" "trim('  ab  ')";
    "try_cast_to_type"("any, anyelement") "anyelement" "try_cast_to_type('x', 0::bigint)";
    "upper"("text") "text" "upper('abc')";
    "user"("") "text" "user";
    "uuid"("") "text" "uuid()";
    "version"("") "text" "version()";
    "with_metadata"("any, text, text, …") "any" "with_metadata(1, 'unit', 'm')";
};

/// Those that the planner makes something of before it looks for a function, and that are in no list of its.
pub(super) const PLANNED: &[Builtin] = builtins! {
    "json_agg"("anyelement") "json" "json_agg(x ORDER BY x) FROM (VALUES (2), (1)) AS t(x)";
    "json_object_agg"("any, any") "json" "json_object_agg(k, v) FROM (VALUES ('a', 1)) AS t(k, v)";
    "jsonb_agg"("anyelement") "jsonb" "jsonb_agg(x ORDER BY x) FROM (VALUES (2), (1)) AS t(x)";
    "jsonb_object_agg"("any, any") "jsonb" "jsonb_object_agg(k, v) FROM (VALUES ('a', 1)) AS t(k, v)";
    "make_map"("any, any, …") "json" "make_map('a', 1, 'b', 2)";
    "mode"("WITHIN GROUP (ORDER BY anyelement)") "anyelement" "mode() WITHIN GROUP (ORDER BY x) FROM (VALUES (1), (2), (2)) AS t(x)";
    "percentile_disc"("double precision WITHIN GROUP (ORDER BY anyelement)") "anyelement" "percentile_disc(0.5) WITHIN GROUP (ORDER BY x) FROM (VALUES ('a'), ('b')) AS t(x)";
    "unnest"("anyarray") "setof anyelement" "unnest(ARRAY[1, 2])";
    "unnest_outer"("anyarray") "setof anyelement" "unnest_outer(ARRAY[1, 2])";
};

/// Those that may stand in FROM.
pub(super) const IN_FROM: &[Builtin] = builtins! {
    "generate_series"("bigint, bigint, bigint") "value bigint" "* FROM generate_series(1, 7, 3)";
    "range"("bigint, bigint, bigint") "value bigint" "* FROM range(0, 6, 2)";
};

/// Those of groups.
pub(super) const AGGREGATES: &[Builtin] = builtins! {
    "any_value"("anyelement") "anyelement" "any_value(x) FROM (VALUES (NULL), (7)) AS t(x)";
    "approx_distinct"("any") "numeric" "approx_distinct(x) FROM (VALUES (1), (1), (2)) AS t(x)";
    "approx_median"("double precision") "double precision" "approx_median(x) FROM (VALUES (1), (2), (9)) AS t(x)";
    "approx_percentile_cont"("double precision, integer WITHIN GROUP (ORDER BY double precision)") "double precision" "approx_percentile_cont(0.5) WITHIN GROUP (ORDER BY x) FROM (VALUES (1), (2), (9)) AS t(x)";
    "approx_percentile_cont_with_weight"("double precision, double precision WITHIN GROUP (ORDER BY double precision)") "double precision" "approx_percentile_cont_with_weight(w, 0.5) WITHIN GROUP (ORDER BY x) FROM (VALUES (1, 1), (2, 3)) AS t(x, w)";
    "array_agg"("anyelement") "anyarray" "array_agg(x ORDER BY x) FROM (VALUES (2), (1)) AS t(x)";
    "avg"("number") "numeric" "avg(x) FROM (VALUES (1), (2)) AS t(x)";
    "bit_and"("bigint") "bigint" "bit_and(x) FROM (VALUES (6), (3)) AS t(x)";
    "bit_or"("bigint") "bigint" "bit_or(x) FROM (VALUES (6), (3)) AS t(x)";
    "bit_xor"("bigint") "bigint" "bit_xor(x) FROM (VALUES (6), (3)) AS t(x)";
    "bool_and"("boolean") "boolean" "bool_and(x) FROM (VALUES (true), (false)) AS t(x)";
    "bool_or"("boolean") "boolean" "bool_or(x) FROM (VALUES (true), (false)) AS t(x)";
    "corr"("double precision, double precision") "double precision" "corr(y, x) FROM (VALUES (1, 2), (2, 3), (3, 5)) AS t(x, y)";
    "count"("any") "bigint" "count(x) FROM (VALUES (1), (NULL)) AS t(x)";
    "covar_pop"("double precision, double precision") "double precision" "covar_pop(y, x) FROM (VALUES (1, 2), (2, 3), (3, 5)) AS t(x, y)";
    "covar_samp"("double precision, double precision") "double precision" "covar_samp(y, x) FROM (VALUES (1, 2), (2, 3), (3, 5)) AS t(x, y)";
    "first_value"("anyelement") "anyelement" "first_value(x ORDER BY x) FROM (VALUES (2), (1)) AS t(x)";
    "grouping"("any") "integer" "grouping(x) FROM (VALUES (1)) AS t(x) GROUP BY ROLLUP (x) ORDER BY 1";
    "last_value"("anyelement") "anyelement" "last_value(x ORDER BY x) FROM (VALUES (2), (1)) AS t(x)";
    "max"("anyelement") "anyelement" "max(x) FROM (VALUES (2), (1)) AS t(x)";
    "median"("number") "number" "median(x) FROM (VALUES (1), (2), (9)) AS t(x)";
    "min"("anyelement") "anyelement" "min(x) FROM (VALUES (2), (1)) AS t(x)";
    "nth_value"("anyelement, bigint") "anyelement" "nth_value(x, 2::bigint ORDER BY x) FROM (VALUES (3), (1), (2)) AS t(x)";
    "percentile_cont"("double precision WITHIN GROUP (ORDER BY double precision)") "double precision" "percentile_cont(0.5) WITHIN GROUP (ORDER BY x) FROM (VALUES (1), (2)) AS t(x)";
    "regr_avgx"("double precision, double precision") "double precision" "regr_avgx(y, x) FROM (VALUES (1, 2), (2, 3), (3, 5)) AS t(x, y)";
    "regr_avgy"("double precision, double precision") "double precision" "regr_avgy(y, x) FROM (VALUES (1, 2), (2, 3), (3, 5)) AS t(x, y)";
    "regr_count"("double precision, double precision") "bigint" "regr_count(y, x) FROM (VALUES (1, 2), (2, 3), (3, 5)) AS t(x, y)";
    "regr_intercept"("double precision, double precision") "double precision" "regr_intercept(y, x) FROM (VALUES (1, 2), (2, 3), (3, 5)) AS t(x, y)";
    "regr_r2"("double precision, double precision") "double precision" "regr_r2(y, x) FROM (VALUES (1, 2), (2, 3), (3, 5)) AS t(x, y)";
    "regr_slope"("double precision, double precision") "double precision" "regr_slope(y, x) FROM (VALUES (1, 2), (2, 3), (3, 5)) AS t(x, y)";
    "regr_sxx"("double precision, double precision") "double precision" "regr_sxx(y, x) FROM (VALUES (1, 2), (2, 3), (3, 5)) AS t(x, y)";
    "regr_sxy"("double precision, double precision") "double precision" "regr_sxy(y, x) FROM (VALUES (1, 2), (2, 3), (3, 5)) AS t(x, y)";
    "regr_syy"("double precision, double precision") "double precision" "regr_syy(y, x) FROM (VALUES (1, 2), (2, 3), (3, 5)) AS t(x, y)";
    "stddev"("number") "number" "stddev(x) FROM (VALUES (1), (2), (4)) AS t(x)";
    "stddev_pop"("number") "number" "stddev_pop(x) FROM (VALUES (1), (2), (4)) AS t(x)";
    "string_agg"("text, text") "text" "string_agg(x, ',' ORDER BY x) FROM (VALUES ('b'), ('a')) AS t(x)";
    "sum"("number") "number" "sum(x) FROM (VALUES (1), (2)) AS t(x)";
    "var"("number") "number" "var(x) FROM (VALUES (1), (2), (4)) AS t(x)";
    "var_pop"("number") "number" "var_pop(x) FROM (VALUES (1), (2), (4)) AS t(x)";
};

/// Those of windows. Aggregates are, too.
pub(super) const WINDOWS: &[Builtin] = builtins! {
    "cume_dist"("") "double precision" "x, cume_dist() OVER (ORDER BY x) FROM (VALUES (1), (2)) AS t(x)";
    "dense_rank"("") "bigint" "x, dense_rank() OVER (ORDER BY x) FROM (VALUES (1), (1), (2)) AS t(x)";
    "first_value"("anyelement") "anyelement" "x, first_value(x) OVER (ORDER BY x) FROM (VALUES (1), (2)) AS t(x)";
    "lag"("anyelement, integer, anyelement") "anyelement" "x, lag(x, 1, 0) OVER (ORDER BY x) FROM (VALUES (1), (2)) AS t(x)";
    "last_value"("anyelement") "anyelement" "x, last_value(x) OVER (ORDER BY x) FROM (VALUES (1), (2)) AS t(x)";
    "lead"("anyelement, integer, anyelement") "anyelement" "x, lead(x, 1, 0) OVER (ORDER BY x) FROM (VALUES (1), (2)) AS t(x)";
    "nth_value"("anyelement, integer") "anyelement" "x, nth_value(x, 2) OVER (ORDER BY x) FROM (VALUES (1), (2)) AS t(x)";
    "ntile"("integer") "integer" "x, ntile(2) OVER (ORDER BY x) FROM (VALUES (1), (2), (3)) AS t(x)";
    "percent_rank"("") "double precision" "x, percent_rank() OVER (ORDER BY x) FROM (VALUES (1), (2)) AS t(x)";
    "rank"("") "bigint" "x, rank() OVER (ORDER BY x) FROM (VALUES (1), (1), (2)) AS t(x)";
    "row_number"("") "bigint" "x, row_number() OVER (ORDER BY x) FROM (VALUES (1), (2)) AS t(x)";
};

/// What those are for of which the engine says nothing, or something else.
pub(super) const PURPOSES: &[(&str, &str)] = &[
    ("clock_timestamp", "The instant at which it is computed."),
    ("current_catalog", "The name of the database."),
    ("current_database", "The name of the database."),
    ("current_date", "The day on which the transaction began."),
    ("current_role", "The role of the session."),
    ("current_schema", "The first schema of the search path that exists."),
    ("current_schemas", "The schemas of the search path that exist; with true those that need not be named, too."),
    ("current_setting", "The value of a setting; with true, NULL if there is none of this name."),
    ("current_time", "The time of day at which the transaction began."),
    ("current_timestamp", "The instant at which the transaction began."),
    ("current_user", "The role of the session."),
    ("generate_series", "The numbers or times from the first to the last, in steps."),
    ("getdatabaseencoding", "The encoding of the database, which is UTF8."),
    ("inet_client_addr", "The address of the client; NULL, as of one on the same machine."),
    ("inet_client_port", "The port of the client; NULL, as of one on the same machine."),
    ("inet_server_addr", "The address that the client has connected to; NULL, as on the same machine."),
    ("inet_server_port", "The port that the client has connected to; NULL, as on the same machine."),
    ("json_agg", "All values as an array."),
    ("json_object_agg", "All keys and values as an object."),
    ("jsonb_agg", "All values as an array."),
    ("jsonb_object_agg", "All keys and values as an object."),
    ("localtime", "The time of day that the session's clocks showed when the transaction began."),
    ("localtimestamp", "The time that the session's clocks showed when the transaction began."),
    ("make_map", "The map of keys and values, which alternate."),
    ("mode", "The most frequent value, and of several the first in the order."),
    ("now", "The instant at which the transaction began."),
    ("percentile_disc", "The first value in the order up to which there is a fraction of all."),
    ("pg_advisory_unlock_all", "Does nothing: there are no advisory locks."),
    ("pg_backend_pid", "The number of the session."),
    ("pg_cancel_backend", "Cancels what another session works on."),
    ("pg_client_encoding", "The encoding of the client, which is UTF8."),
    ("pg_is_in_recovery", "Whether the server is a standby, which it never is."),
    ("pg_listening_channels", "The channels that the session listens to, a row each."),
    ("pg_my_temp_schema", "The number of the schema of the session's temporary objects; 0 where there are none."),
    ("pg_notification_queue_usage", "How full the room is for what sessions have not read yet, from 0 to 1."),
    ("pg_notify", "Says something on a channel when the transaction commits."),
    ("pg_partition_ancestors", "The tables that a table is a part of, of which there are none."),
    ("pg_sleep", "Waits for so many seconds."),
    ("pg_terminate_backend", "Ends another session, and waits so many milliseconds for its end."),
    ("range", "The numbers or times from the first up to the last, without it, in steps."),
    ("session_user", "The role of the session."),
    ("set_config", "Sets a setting, with true for the transaction alone, and yields its value."),
    ("statement_timestamp", "The instant at which the statement began."),
    ("today", "The day on which the transaction began."),
    ("transaction_timestamp", "The instant at which the transaction began."),
    ("unnest", "The elements of an array, a row each."),
    ("unnest_outer", "The elements of an array, a row each, and a row of NULL for an array without any."),
    ("user", "The role of the session."),
    ("gen_random_uuid", "A random UUID, another one for each row."),
    ("timeofday", "The time at which it is computed, in words."),
    ("uuid", "A random UUID, another one for each row."),
    ("version", "The version of PostgreSQL that is spoken, and the engine's own."),
];
