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
mod faults;
mod fields;
mod import;
mod linking;
mod memory;
mod merkle;
mod note;
mod places;
mod process;
mod references;
mod schema;
mod session;
mod support;
