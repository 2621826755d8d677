//! Stories told again in worlds whose keys are of another suite.

use std::cell::Cell;

use callervault::model::key_roles::Suite;

use crate::support::World;

thread_local! {
    static SUITE: Cell<Suite> = const { Cell::new(Suite::Aes) };
}

/// The suite of the worlds that this thread makes.
pub(crate) fn suite() -> Suite {
    SUITE.get()
}

/// Tells a story in worlds of this suite.
pub(crate) fn told_in(suite: Suite, story: fn()) {
    struct Before(Suite);
    impl Drop for Before {
        fn drop(&mut self) {
            SUITE.set(self.0);
        }
    }
    let _before = Before(SUITE.replace(suite));
    story();
}

/// The other one.
pub(crate) fn other_than(suite: Suite) -> Suite {
    match suite {
        Suite::Aes => Suite::Sm,
        Suite::Sm => Suite::Aes,
    }
}

/// The first byte of everything that is sealed in a suite.
pub(crate) fn first_byte(suite: Suite) -> u8 {
    match suite {
        Suite::Aes => 1,
        Suite::Sm => 2,
    }
}

impl World {
    /// The first bytes of what stands in a column of either store, each once.
    pub(crate) fn first_bytes(&self, table: &'static str, column: &str) -> Vec<u8> {
        let store = if ["keyring", "record_key", "unlock"].contains(&table) {
            self.keys()
        } else {
            self.data()
        };
        let cells: Vec<Vec<u8>> = store.rows(table).column(column);
        let mut bytes: Vec<u8> = cells.iter().filter_map(|cell| cell.first().copied()).collect();
        bytes.sort_unstable();
        bytes.dedup();
        bytes
    }
}
