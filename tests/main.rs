//! One story per file, linked as one binary.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on has failed"
)]

mod abuse;
mod attacks;
mod auditors;
mod compile_fail;
mod crash;
mod faults;
mod fields;
mod import;
mod memory;
mod merkle;
mod merkle_proofs;
mod merkle_random;
mod merkle_tiles;
mod merkle_vectors;
mod note;
mod process;
mod references;
mod search;
mod session;
mod support;
mod tlog_proof;
mod watch;
