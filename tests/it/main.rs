//! The integration tests, in one binary because each links the whole engine.
#![allow(clippy::unwrap_used, unreachable_pub)]

mod postgresql;
mod psycopg;
mod random;
mod support;

mod layers;

mod restart;

mod crash;
mod storage;

mod determinism;

mod lookups;
mod plan_cache;
mod plans;
mod words;

mod quality;

mod round_trip;
mod targets;

mod s3;
mod s3_server;

mod sources;

mod wire;

mod sizes;

mod clients;

mod oracle;

mod differential;

mod catalogues;

mod expressions;

mod sessions;
