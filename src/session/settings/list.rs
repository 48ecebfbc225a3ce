//! Every setting that clients know from PostgreSQL: those that are followed, those that are accepted because clients set
//! them as a matter of course, although nothing here goes by them, and those of the server.

use super::{
    server::OF_SERVER,
    takes::{Takes, Unit},
};
use crate::session::Modes;

/// A setting that clients know from PostgreSQL.
pub(crate) struct Setting {
    /// Its name in lower case.
    pub(crate) name: &'static str,
    /// How the protocol spells it, if it reports it.
    pub(crate) reported: Option<&'static str>,
    /// Its value at the start of a session.
    pub(crate) default: &'static str,
    /// Which values are taken.
    pub(super) takes: Takes,
    /// What it is for.
    pub(crate) description: &'static str,
}

/// Where names are looked for unless a session says otherwise.
pub(super) const DEFAULT_PATH: &str = "\"$user\", public";

/// The PostgreSQL version whose dialect is spoken, and who speaks it.
pub(crate) const SERVER_VERSION: &str = concat!("15.0 (Fusewire ", env!("CARGO_PKG_VERSION"), ")");

/// The greatest number that settings have.
const MOST: i64 = 2_147_483_647;

/// A time, from none to weeks.
const TIME: Takes = number(0, MOST, Unit::Milliseconds);

/// How grave a message is that is sent to a client.
pub(super) const MESSAGES: &[&str] =
    &["debug5", "debug4", "debug3", "debug2", "debug1", "log", "info", "notice", "warning", "error"];

/// How grave a message is that is logged.
const LEVELS: &[&str] =
    &["debug5", "debug4", "debug3", "debug2", "debug1", "info", "notice", "warning", "error", "log", "fatal", "panic"];

/// Every setting that is followed, or tells something.
pub(crate) const SETTINGS: &[Setting] = &[
    setting("application_name", Some("application_name"), "", Takes::ClientName, "the client's name for itself"),
    setting("array_nulls", None, "on", Takes::Always(true), "NULL in the text of an array is a value that is missing"),
    setting(
        "backslash_quote",
        None,
        "safe_encoding",
        Takes::Switch(&["safe_encoding"]),
        "accepted; backslashes are plain",
    ),
    setting("bytea_output", None, "hex", Takes::First(&["hex", "escape"]), "how bytes are written as text"),
    setting("client_encoding", Some("client_encoding"), "UTF8", Takes::Encoding, "the encoding of text on the wire"),
    setting("client_min_messages", None, "notice", Takes::Word(MESSAGES), "the least severe message that is sent"),
    setting(
        "datestyle",
        Some("DateStyle"),
        "ISO, MDY",
        Takes::Dates,
        "how dates are written, and what comes first where they are read",
    ),
    setting(
        "default_table_access_method",
        None,
        "heap",
        Takes::Word(&["heap"]),
        "how tables are stored; there is one way",
    ),
    setting(
        "default_tablespace",
        None,
        "",
        Takes::Word(&["", "pg_default"]),
        "where tables are stored; there is one place",
    ),
    setting("default_text_search_config", None, "pg_catalog.simple", Takes::Text, "accepted"),
    setting("default_transaction_deferrable", None, "off", Takes::Boolean, "accepted; no transaction waits"),
    setting(
        "default_transaction_isolation",
        None,
        Modes::DEFAULT.isolation.name(),
        Takes::Isolation,
        "the isolation of transactions that say nothing; from repeatable read on they read one snapshot",
    ),
    setting(
        "default_transaction_read_only",
        Some("default_transaction_read_only"),
        "off",
        Takes::Boolean,
        "whether transactions that say nothing may change nothing",
    ),
    setting("default_with_oids", None, "off", Takes::Always(false), "no table has hidden numbers of rows"),
    setting("escape_string_warning", None, "on", Takes::Boolean, "accepted; backslashes are plain"),
    setting(
        "extra_float_digits",
        None,
        "1",
        number(-15, 3, Unit::None),
        "how many more digits floats are written with than they surely keep; above 0 as few as tell them apart",
    ),
    setting("fsync", None, "on", Takes::Server, "whether commits are durable"),
    setting(
        "idle_in_transaction_session_timeout",
        None,
        "0",
        TIME,
        "a client that leaves its transaction alone for longer is disconnected; 0: never",
    ),
    setting(
        "idle_session_timeout",
        None,
        "0",
        TIME,
        "a client that asks nothing for longer, outside of a transaction, is disconnected; 0: never",
    ),
    setting("in_hot_standby", Some("in_hot_standby"), "off", Takes::Nothing, "whether this is a standby"),
    setting("integer_datetimes", Some("integer_datetimes"), "on", Takes::Nothing, "how times are sent in binary"),
    setting(
        "intervalstyle",
        Some("IntervalStyle"),
        "postgres",
        Takes::Word(&["postgres", "postgres_verbose", "sql_standard", "iso_8601"]),
        "how intervals are written",
    ),
    setting("is_superuser", Some("is_superuser"), "on", Takes::Nothing, "whether the user may do anything"),
    setting("jit", None, "off", Takes::Boolean, "accepted"),
    setting("lc_collate", None, "C.UTF-8", Takes::Nothing, "how texts are ordered: by their characters' codes"),
    setting("lc_ctype", None, "C.UTF-8", Takes::Nothing, "which characters are letters"),
    setting("lc_messages", None, "C.UTF-8", LOCALE, "the language of messages"),
    setting("lc_monetary", None, "C.UTF-8", LOCALE, "how money is written"),
    setting("lc_numeric", None, "C.UTF-8", LOCALE, "how numbers are written"),
    setting("lc_time", None, "C.UTF-8", LOCALE, "how dates are written"),
    setting("lock_timeout", None, "0", TIME, "accepted; statements take no locks"),
    setting("max_connections", None, "100", Takes::Server, "how many clients are served at a time"),
    setting("max_function_args", None, "100", Takes::Nothing, "how many arguments clients should give a function"),
    setting("max_identifier_length", None, "63", Takes::Nothing, "the longest name that clients should use"),
    setting("max_index_keys", None, "32", Takes::Nothing, "how many columns clients should index together"),
    setting("role", None, "none", Takes::Role, "for whom statements are run: the user"),
    setting("row_security", None, "on", Takes::Boolean, "accepted"),
    setting(
        "search_path",
        None,
        DEFAULT_PATH,
        Takes::Schemas,
        "the schemas where names without one are looked for; the first that exists is where objects are created",
    ),
    setting("server_encoding", Some("server_encoding"), "UTF8", Takes::Nothing, "the encoding of stored text"),
    setting(
        "server_version",
        Some("server_version"),
        SERVER_VERSION,
        Takes::Nothing,
        "the PostgreSQL version whose dialect is spoken",
    ),
    setting("server_version_num", None, "150000", Takes::Nothing, "the same as a number"),
    setting(
        "session_authorization",
        Some("session_authorization"),
        "",
        Takes::Role,
        "the user that the client has named",
    ),
    setting("ssl", None, "off", Takes::Server, "whether connections are encrypted"),
    setting(
        "standard_conforming_strings",
        Some("standard_conforming_strings"),
        "on",
        Takes::Always(true),
        "backslashes in texts are plain",
    ),
    setting("statement_timeout", None, "0", TIME, "a statement that takes longer is cancelled; 0: never"),
    setting(
        "synchronous_commit",
        None,
        "on",
        Takes::Switch(&["local", "remote_write", "remote_apply"]),
        "accepted; commits are always durable",
    ),
    setting(
        "temp_tablespaces",
        None,
        "",
        Takes::Word(&["", "pg_default"]),
        "where rows are kept for a while; there is one place",
    ),
    setting("timezone", Some("TimeZone"), "UTC", Takes::TimeZone, "the time zone of timestamps"),
    setting(
        "timezone_abbreviations",
        None,
        "Default",
        Takes::First(&["Default", "Australia", "India"]),
        "which abbreviations of zones are known",
    ),
    setting("transaction_deferrable", None, "off", Takes::Boolean, "accepted; no transaction waits"),
    setting(
        "transaction_isolation",
        None,
        Modes::DEFAULT.isolation.name(),
        Takes::Isolation,
        "the isolation of this transaction, which reads one snapshot from repeatable read on",
    ),
    setting("transaction_read_only", None, "off", Takes::Boolean, "whether this transaction may change nothing"),
    setting("transform_null_equals", None, "off", Takes::Always(false), "nothing is equal to NULL"),
    setting("xmloption", None, "content", Takes::Word(&["content", "document"]), "accepted"),
];

/// The locales that write as is written here.
const LOCALE: Takes = Takes::Word(&["C.UTF-8", "C", "POSIX", "C.utf8", "en_US.UTF-8", "en_US.utf8"]);

/// Settings by which nothing goes here: how PostgreSQL plans, logs, cleans up.
const ACCEPTED: &[Setting] = &[
    accepted("allow_in_place_tablespaces", "off", Takes::Boolean),
    accepted("allow_system_table_mods", "off", Takes::Boolean),
    accepted("backend_flush_after", "0", number(0, 256, Unit::Blocks)),
    accepted("backtrace_functions", "", Takes::Text),
    accepted("check_function_bodies", "on", Takes::Boolean),
    accepted("client_connection_check_interval", "0", number(0, MOST, Unit::Milliseconds)),
    accepted("commit_delay", "0", number(0, 100_000, Unit::None)),
    accepted("commit_siblings", "5", number(0, 1000, Unit::None)),
    accepted("compute_query_id", "auto", Takes::Switch(&["auto", "regress"])),
    accepted("constraint_exclusion", "partition", Takes::Switch(&["partition"])),
    accepted("cpu_index_tuple_cost", "0.005", Takes::Fraction { least: 0.0, most: f64::MAX }),
    accepted("cpu_operator_cost", "0.0025", Takes::Fraction { least: 0.0, most: f64::MAX }),
    accepted("cpu_tuple_cost", "0.01", Takes::Fraction { least: 0.0, most: f64::MAX }),
    accepted("cursor_tuple_fraction", "0.1", Takes::Fraction { least: 0.0, most: 1.0 }),
    accepted("deadlock_timeout", "1s", number(1, MOST, Unit::Milliseconds)),
    accepted("debug_discard_caches", "0", number(0, 0, Unit::None)),
    accepted("debug_pretty_print", "on", Takes::Boolean),
    accepted("debug_print_parse", "off", Takes::Boolean),
    accepted("debug_print_plan", "off", Takes::Boolean),
    accepted("debug_print_rewritten", "off", Takes::Boolean),
    accepted("default_statistics_target", "100", number(1, 10_000, Unit::None)),
    accepted("default_toast_compression", "pglz", Takes::Word(&["pglz", "lz4"])),
    accepted("dynamic_library_path", "$libdir", Takes::Text),
    accepted("effective_cache_size", "4GB", number(1, MOST, Unit::Blocks)),
    accepted("effective_io_concurrency", "1", number(0, 1000, Unit::None)),
    accepted("enable_async_append", "on", Takes::Boolean),
    accepted("enable_bitmapscan", "on", Takes::Boolean),
    accepted("enable_gathermerge", "on", Takes::Boolean),
    accepted("enable_hashagg", "on", Takes::Boolean),
    accepted("enable_hashjoin", "on", Takes::Boolean),
    accepted("enable_incremental_sort", "on", Takes::Boolean),
    accepted("enable_indexonlyscan", "on", Takes::Boolean),
    accepted("enable_indexscan", "on", Takes::Boolean),
    accepted("enable_material", "on", Takes::Boolean),
    accepted("enable_memoize", "on", Takes::Boolean),
    accepted("enable_mergejoin", "on", Takes::Boolean),
    accepted("enable_nestloop", "on", Takes::Boolean),
    accepted("enable_parallel_append", "on", Takes::Boolean),
    accepted("enable_parallel_hash", "on", Takes::Boolean),
    accepted("enable_partition_pruning", "on", Takes::Boolean),
    accepted("enable_partitionwise_aggregate", "off", Takes::Boolean),
    accepted("enable_partitionwise_join", "off", Takes::Boolean),
    accepted("enable_seqscan", "on", Takes::Boolean),
    accepted("enable_sort", "on", Takes::Boolean),
    accepted("enable_tidscan", "on", Takes::Boolean),
    accepted("exit_on_error", "off", Takes::Always(false)),
    accepted("force_parallel_mode", "off", Takes::Switch(&["regress"])),
    accepted("from_collapse_limit", "8", number(1, MOST, Unit::None)),
    accepted("geqo", "on", Takes::Boolean),
    accepted("geqo_effort", "5", number(1, 10, Unit::None)),
    accepted("geqo_generations", "0", number(0, MOST, Unit::None)),
    accepted("geqo_pool_size", "0", number(0, MOST, Unit::None)),
    accepted("geqo_seed", "0", Takes::Fraction { least: 0.0, most: 1.0 }),
    accepted("geqo_selection_bias", "2", Takes::Fraction { least: 1.5, most: 2.0 }),
    accepted("geqo_threshold", "12", number(2, MOST, Unit::None)),
    accepted("gin_fuzzy_search_limit", "0", number(0, MOST, Unit::None)),
    accepted("gin_pending_list_limit", "4MB", number(64, MOST, Unit::Kilobytes)),
    accepted("hash_mem_multiplier", "2", Takes::Fraction { least: 1.0, most: 1000.0 }),
    accepted("ignore_checksum_failure", "off", Takes::Boolean),
    accepted("jit_above_cost", "100000", Takes::Fraction { least: -1.0, most: f64::MAX }),
    accepted("jit_dump_bitcode", "off", Takes::Boolean),
    accepted("jit_expressions", "on", Takes::Boolean),
    accepted("jit_inline_above_cost", "500000", Takes::Fraction { least: -1.0, most: f64::MAX }),
    accepted("jit_optimize_above_cost", "500000", Takes::Fraction { least: -1.0, most: f64::MAX }),
    accepted("jit_tuple_deforming", "on", Takes::Boolean),
    accepted("join_collapse_limit", "8", number(1, MOST, Unit::None)),
    accepted("lo_compat_privileges", "off", Takes::Boolean),
    accepted("local_preload_libraries", "", Takes::Text),
    accepted("log_duration", "off", Takes::Boolean),
    accepted("log_error_verbosity", "default", Takes::Word(&["terse", "default", "verbose"])),
    accepted("log_executor_stats", "off", Takes::Boolean),
    accepted("log_lock_waits", "off", Takes::Boolean),
    accepted("log_min_duration_sample", "-1", number(-1, MOST, Unit::Milliseconds)),
    accepted("log_min_duration_statement", "-1", number(-1, MOST, Unit::Milliseconds)),
    accepted("log_min_error_statement", "error", Takes::Word(LEVELS)),
    accepted("log_min_messages", "warning", Takes::Word(LEVELS)),
    accepted("log_parameter_max_length", "-1", number(-1, 1_073_741_823, Unit::Bytes)),
    accepted("log_parameter_max_length_on_error", "0", number(-1, 1_073_741_823, Unit::Bytes)),
    accepted("log_parser_stats", "off", Takes::Boolean),
    accepted("log_planner_stats", "off", Takes::Boolean),
    accepted("log_replication_commands", "off", Takes::Boolean),
    accepted("log_statement", "none", Takes::Word(&["none", "ddl", "mod", "all"])),
    accepted("log_statement_sample_rate", "1", Takes::Fraction { least: 0.0, most: 1.0 }),
    accepted("log_statement_stats", "off", Takes::Boolean),
    accepted("log_temp_files", "-1", number(-1, MOST, Unit::Kilobytes)),
    accepted("log_transaction_sample_rate", "0", Takes::Fraction { least: 0.0, most: 1.0 }),
    accepted("logical_decoding_work_mem", "64MB", number(64, MOST, Unit::Kilobytes)),
    accepted("maintenance_io_concurrency", "10", number(0, 1000, Unit::None)),
    accepted("maintenance_work_mem", "64MB", number(1024, MOST, Unit::Kilobytes)),
    accepted("max_parallel_maintenance_workers", "2", number(0, 1024, Unit::None)),
    accepted("max_parallel_workers", "8", number(0, 1024, Unit::None)),
    accepted("max_parallel_workers_per_gather", "2", number(0, 1024, Unit::None)),
    accepted("max_stack_depth", "2MB", number(100, MOST, Unit::Kilobytes)),
    accepted("min_parallel_index_scan_size", "512kB", number(0, 715_827_882, Unit::Blocks)),
    accepted("min_parallel_table_scan_size", "8MB", number(0, 715_827_882, Unit::Blocks)),
    accepted("parallel_leader_participation", "on", Takes::Boolean),
    accepted("parallel_setup_cost", "1000", Takes::Fraction { least: 0.0, most: f64::MAX }),
    accepted("parallel_tuple_cost", "0.1", Takes::Fraction { least: 0.0, most: f64::MAX }),
    accepted("password_encryption", "scram-sha-256", Takes::Word(&["md5", "scram-sha-256"])),
    accepted("plan_cache_mode", "auto", Takes::Word(&["auto", "force_generic_plan", "force_custom_plan"])),
    accepted("quote_all_identifiers", "off", Takes::Boolean),
    accepted("random_page_cost", "4", Takes::Fraction { least: 0.0, most: f64::MAX }),
    accepted("recursive_worktable_factor", "10", Takes::Fraction { least: 0.001, most: 1_000_000.0 }),
    accepted(
        "restrict_nonsystem_relation_kind",
        "",
        Takes::Word(&["", "view", "foreign-table", "view, foreign-table"]),
    ),
    accepted("seq_page_cost", "1", Takes::Fraction { least: 0.0, most: f64::MAX }),
    accepted("session_preload_libraries", "", Takes::Text),
    accepted("session_replication_role", "origin", Takes::Word(&["origin", "replica", "local"])),
    accepted("stats_fetch_consistency", "cache", Takes::Word(&["none", "cache", "snapshot"])),
    accepted("synchronize_seqscans", "on", Takes::Boolean),
    accepted("tcp_keepalives_count", "0", number(0, MOST, Unit::None)),
    accepted("tcp_keepalives_idle", "0", number(0, MOST, Unit::Seconds)),
    accepted("tcp_keepalives_interval", "0", number(0, MOST, Unit::Seconds)),
    accepted("tcp_user_timeout", "0", number(0, MOST, Unit::Milliseconds)),
    accepted("temp_buffers", "8MB", number(100, 1_073_741_823, Unit::Blocks)),
    accepted("temp_file_limit", "-1", number(-1, MOST, Unit::Kilobytes)),
    accepted("trace_notify", "off", Takes::Boolean),
    accepted("trace_sort", "off", Takes::Boolean),
    accepted("track_activities", "on", Takes::Boolean),
    accepted("track_counts", "on", Takes::Boolean),
    accepted("track_functions", "none", Takes::Word(&["none", "pl", "all"])),
    accepted("track_io_timing", "off", Takes::Boolean),
    accepted("track_wal_io_timing", "off", Takes::Boolean),
    accepted("update_process_title", "on", Takes::Boolean),
    accepted("vacuum_cost_delay", "0", number(0, 100, Unit::Milliseconds)),
    accepted("vacuum_cost_limit", "200", number(1, 10_000, Unit::None)),
    accepted("vacuum_cost_page_dirty", "20", number(0, 10_000, Unit::None)),
    accepted("vacuum_cost_page_hit", "1", number(0, 10_000, Unit::None)),
    accepted("vacuum_cost_page_miss", "2", number(0, 10_000, Unit::None)),
    accepted("vacuum_failsafe_age", "1600000000", number(0, 2_100_000_000, Unit::None)),
    accepted("vacuum_freeze_min_age", "50000000", number(0, 1_000_000_000, Unit::None)),
    accepted("vacuum_freeze_table_age", "150000000", number(0, 2_000_000_000, Unit::None)),
    accepted("vacuum_multixact_failsafe_age", "1600000000", number(0, 2_100_000_000, Unit::None)),
    accepted("vacuum_multixact_freeze_min_age", "5000000", number(0, 1_000_000_000, Unit::None)),
    accepted("vacuum_multixact_freeze_table_age", "150000000", number(0, 2_000_000_000, Unit::None)),
    accepted("wal_compression", "off", Takes::Switch(&["pglz", "lz4", "zstd"])),
    accepted("wal_consistency_checking", "", Takes::Word(&["", "all"])),
    accepted("wal_init_zero", "on", Takes::Boolean),
    accepted("wal_recycle", "on", Takes::Boolean),
    accepted("wal_sender_timeout", "1min", number(0, MOST, Unit::Milliseconds)),
    accepted("wal_skip_threshold", "2MB", number(0, MOST, Unit::Kilobytes)),
    accepted("work_mem", "4MB", number(64, MOST, Unit::Kilobytes)),
    accepted("xmlbinary", "base64", Takes::Word(&["base64", "hex"])),
    accepted("zero_damaged_pages", "off", Takes::Boolean),
];

/// All settings of PostgreSQL's.
pub(super) fn every() -> impl Iterator<Item = &'static Setting> {
    SETTINGS.iter().chain(ACCEPTED).chain(OF_SERVER)
}

const fn setting(
    name: &'static str,
    reported: Option<&'static str>,
    default: &'static str,
    takes: Takes,
    description: &'static str,
) -> Setting {
    Setting { name, reported, default, takes, description }
}

const fn accepted(name: &'static str, default: &'static str, takes: Takes) -> Setting {
    setting(name, None, default, takes, "accepted; nothing goes by it")
}

const fn number(least: i64, most: i64, unit: Unit) -> Takes {
    Takes::Number { least, most, unit }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_in_lower_case_and_stand_once() {
        let mut names = BTreeSet::new();
        for known in every() {
            assert!(names.insert(known.name) && known.name == known.name.to_lowercase(), "{}", known.name);
        }
    }
}
