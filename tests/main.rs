//! One story per file, in rooms named after those of `src`, linked as one binary.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on has failed"
)]

mod compile_fail;
mod dependencies;
mod readme;
mod structure;

mod support;

/// Calls, their callers, and what is shown of them.
mod calls {
    mod confidential;
    mod erasing;
    mod guesses;
    mod idempotency;
    pub(crate) mod import;
    mod linking;
    mod matching;
    mod merging;
    mod merging_refused;
    mod probing;
    mod restricted;
    pub(crate) mod retention;
    mod retention_faults;
    pub(crate) mod rights;
    mod rights_bounded;
    mod rights_numbers;
    mod same_as;
    pub(crate) mod session;
    pub(crate) mod splitting;
    mod values;
}

/// Files of calls are brought in.
mod import {
    mod faults;
    mod flow;
    mod mend;
    mod past;
    mod served;
    mod tables;
}

/// Tickets travel.
mod tickets {
    pub(crate) mod callbacks;
    mod contact;
    mod deadlines;
    mod extensions;
    mod life;
    mod lists;
    mod names;
    mod references;
    mod relay;
    mod returned;
    mod rules;
    mod steps;
    mod translation;
    mod unlinkable;
}

/// Accounts, roles, second persons, and what one person may do to the others.
mod people {
    mod abuse;
    mod administrators;
    mod approvals;
    pub(crate) mod behalf;
    mod behalf_counts;
    mod bound;
    mod codes;
    pub(crate) mod crowd;
    mod departments;
    mod ended_codes;
    mod import;
    mod me;
    mod reasons;
    mod refusals;
    mod standing;
    pub(crate) mod tokens;
}

/// What auditors and outsiders make of the log.
mod audit {
    mod auditors;
    mod client_address;
    mod cosigned;
    pub(crate) mod export;
    mod exposure;
    mod follower;
    mod follower_archived;
    mod follower_lost;
    mod follower_stop;
    mod formats;
    mod joined;
    mod names;
    mod news;
    pub(crate) mod outsiders;
    pub(crate) mod retention;
    mod reveal_limit;
    mod roles;
    pub(crate) mod search;
    mod shown;
    mod watch;
}

/// The log and its thread.
mod log {
    pub(crate) mod counts;
    mod deadline;
    mod fence;
}

/// Those who cosign the log, and a vault that has some.
mod witness {
    mod client;
    mod contradicted;
    mod process;
    mod server;
    pub(crate) mod witnessed;
}

/// Keys: wrapped, in memory, rotated, destroyed.
mod keys {
    pub(crate) mod destroyed;
    pub(crate) mod erased;
    mod erased_killed;
    mod hsm;
    mod killed;
    mod locking;
    pub(crate) mod memory;
    pub(crate) mod older_copy;
    mod older_merges;
    pub(crate) mod reindex;
    pub(crate) mod rewrap;
    mod rewrap_refused;
    pub(crate) mod rewrap_under_load;
    pub(crate) mod rotated;
    pub(crate) mod rotation;
    mod secret_files;
    mod secrets;
    mod secrets_sm;
    pub(crate) mod shares;
    mod suites;
    pub(crate) mod unlocking;
    mod unlocking_in_turn;
    mod watched;
    pub(crate) mod wrapped;
}

/// Copies of the stores: backups, what is restored from them, and checks of a vault that serves.
mod copies {
    mod backup;
    mod killed;
    mod moment;
    mod online;
    mod refused;
    mod restore;
    mod restoring_left;
}

/// A vault is made, opened, checked, doubts, and goes on as the next log.
mod life {
    mod clock;
    mod demo;
    mod doubt;
    mod edited_recovery;
    mod faults;
    mod founded;
    mod lists;
    mod places;
    mod readmitted;
    mod recovery;
    mod reload;
    pub(crate) mod restart;
    mod rules;
    mod starved;
}

/// The command line.
mod cli {
    mod callers;
    mod certificates;
    mod commands;
    mod first_day;
    mod hangup;
    mod program_log;
    mod rekey_killed;
    mod rights;
    mod settings;
    pub(crate) mod shares;
    mod strangers;
    mod unlock;
}

/// Databases and disks: edited, damaged, full, taken away, cut off from power.
mod store {
    pub(crate) mod attacks;
    mod crash;
    mod damage;
    mod displaced;
    pub(crate) mod full_disk;
    mod log_index;
    mod plans;
    mod power_cut;
    mod rows;
    mod schema;
    pub(crate) mod statements;
}

/// Connections, frames and problems.
mod http {
    mod frames;
    mod guides;
    mod limits;
    mod listen;
    mod metrics;
    mod openapi;
    mod problems;
    mod reference;
}

/// Fields, references, and the tables of actions and transitions.
mod model {
    mod fields;
    mod references;
    mod tables;
}

/// The tree, its proofs and its tiles.
mod merkle {
    mod proofs;
    mod random;
    mod tiles;
    pub(crate) mod tree;
    mod vectors;
}

/// Signed notes, cosignatures and proof files.
mod note {
    mod cosignature;
    mod signed;
    mod tlog_proof;
}
