//! What the two suites take for the same work, as ratios measured in one run. `cargo bench --bench suites`; another number of operations in
//! a round after `--`.
//!
//! The suites take turns, so that what else the machine does falls on both. Each figure is the median of the rounds.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench that cannot go on has failed, and it prints"
)]

use std::sync::Arc;
use std::time::Instant;

use callervault::keyring::unlock::{Passphrase, create, unlock};
use callervault::keyring::{Keyring, RecordKey};
use callervault::model::fields::{Field, FieldSet};
use callervault::model::ids::{CallerId, RecordId};
use callervault::model::key_roles::Suite;
use callervault::model::submitted::Submitted;
use callervault::randomness::System;
use callervault::store::rows::{FieldRow, One, VaultRow, WrappedKey};
use jiff::Timestamp;
use zeroize::Zeroizing;

const OPERATIONS: u32 = 5_000;
const ROUNDS: usize = 11;
const ORIGIN: &str = "bench.invalid/log/1";

/// The keys of a vault of one suite, and a sealed field under them.
struct Vault {
    keyring: Keyring,
    key: RecordKey,
    wrapped: WrappedKey,
    sealed: FieldRow,
}

impl Vault {
    fn new(suite: Suite, field: &Field) -> Self {
        let passphrase = Passphrase::new(Zeroizing::new("a passphrase for a bench".to_owned())).unwrap();
        let vault = VaultRow {
            one: One,
            vault: [7; 16],
            origin: ORIGIN.to_owned(),
        };
        let made = create(&vault, &passphrase, suite, Timestamp::UNIX_EPOCH, &System).unwrap();
        let keyring = unlock(ORIGIN, &passphrase, &[made.root.row], &made.keyring, Arc::new(System)).unwrap();
        let record = RecordId::Caller(CallerId::random(&System).unwrap());
        let (key, wrapped) = keyring.new_record_key(record).unwrap();
        let sealed = keyring.seal(&key, field.name(), &value()).unwrap();
        Self {
            keyring,
            key,
            wrapped,
            sealed,
        }
    }
}

fn value() -> Submitted {
    Submitted::new("+8613900001111".to_owned())
}

/// What is measured: its name, and one operation.
type Work<'w> = (&'static str, &'w dyn Fn(&Vault));

/// Nanoseconds that each operation takes, in each of the suites.
fn measured(vaults: &[Vault; 2], work: &dyn Fn(&Vault), operations: u32) -> [f64; 2] {
    let mut rounds = [const { Vec::new() }; 2];
    for _ in 0..ROUNDS {
        for (vault, rounds) in vaults.iter().zip(&mut rounds) {
            let begun = Instant::now();
            for _ in 0..operations {
                work(vault);
            }
            rounds.push(begun.elapsed().as_secs_f64() * 1e9 / f64::from(operations));
        }
    }
    rounds.map(|mut rounds| {
        rounds.sort_by(f64::total_cmp);
        rounds[ROUNDS / 2]
    })
}

fn main() {
    let operations = std::env::args().skip(1).find_map(|argument| argument.parse().ok());
    let operations = operations.unwrap_or(OPERATIONS);
    let fields = FieldSet::shipped().unwrap();
    let field = fields.get("callback_number").unwrap();
    let vaults = [Suite::Aes, Suite::Sm].map(|suite| Vault::new(suite, field));
    let indexed = field.indexed(&value()).unwrap();
    let work: [Work<'_>; 4] = [
        ("seal a field", &|vault| {
            vault.keyring.seal(&vault.key, field.name(), &value()).unwrap();
        }),
        ("open a field", &|vault| {
            let row = (&vault.sealed, &vault.wrapped);
            assert!(vault.keyring.check_field(row.0, row.1, None, false).unwrap());
        }),
        ("code of a blind index", &|vault| {
            vault.keyring.blind_index(&indexed).unwrap();
        }),
        ("rewrap a record key", &|vault| {
            let rewrapped = vault.keyring.rewrapped(std::slice::from_ref(&vault.wrapped)).unwrap();
            assert!(rewrapped[0].is_some());
        }),
    ];
    println!("medians of {ROUNDS} rounds of {operations} operations");
    println!("{:36} {:>10} {:>10} {:>8}", "", "aes, ns", "sm, ns", "sm/aes");
    for (name, work) in work {
        let [aes, sm] = measured(&vaults, work, operations);
        println!("{name:36} {aes:>10.0} {sm:>10.0} {:>8.2}", sm / aes);
    }
}
