//! One story per file, linked as one binary.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on has failed"
)]

mod abuse;
mod attacks;
mod compile_fail;
mod crash;
mod damage;
mod deadline;
mod demo;
mod faults;
mod fields;
mod idempotency;
mod import;
mod keys;
mod limits;
mod linking;
mod listen;
mod memory;
mod merkle;
mod note;
mod places;
mod problems;
mod process;
mod readme;
mod references;
mod schema;
mod session;
mod support;
