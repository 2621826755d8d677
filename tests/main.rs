//! One story per file, linked as one binary.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on has failed"
)]

mod abuse;
mod approvals;
mod attacks;
mod auditors;
mod bound;
mod clock;
mod compile_fail;
mod confidential;
mod contradicted;
mod cosignature;
mod cosigned;
mod crash;
mod crowd;
mod damage;
mod deadline;
mod demo;
mod displaced;
mod doubt;
mod export;
mod faults;
mod fence;
mod fields;
mod frames;
mod full_disk;
mod guesses;
mod idempotency;
mod import;
mod keys;
mod limits;
mod linking;
mod listen;
mod load;
mod memory;
mod memory_keys;
mod merkle;
mod merkle_proofs;
mod merkle_random;
mod merkle_tiles;
mod merkle_vectors;
mod note;
mod outsiders;
mod places;
mod power_cut;
mod problems;
mod process;
mod readme;
mod reasons;
mod references;
mod refusals;
mod restart;
mod retention;
mod rotation;
mod rows;
mod rules;
mod schema;
mod search;
mod served;
mod session;
mod starved;
mod structure;
mod support;
mod tables;
mod tlog_proof;
mod unflushed;
mod unflushed_disk;
mod watch;
mod witness;
mod witness_client;
mod witness_process;
mod witness_support;
mod witnessed;
