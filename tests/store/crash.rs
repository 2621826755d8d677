//! `kill -9` under load, a real process, round after round: what was acknowledged is there.
//!
//! A kill leaves everything that was written, flushed or not. What was flushed is shown by `power_cut.rs`.

use crate::support::load::{Loaded, are_of_both_kinds, are_there};
use crate::support::process::Server;

const ROUNDS: usize = 50;

#[tokio::test(flavor = "multi_thread")]
async fn kill_nine_loses_no_acknowledged_write() {
    let loaded = Loaded::new().await;
    let world = &loaded.world;
    let mut acknowledged = Vec::new();
    for round in 0..ROUNDS {
        tokio::task::block_in_place(|| {
            let server = Server::start(world.dir.path());
            loaded.until_killed(server, round as u64, 5 + round * 7 % 40, |done| acknowledged.push(done));
        });
        are_there(world, &acknowledged);
    }
    are_of_both_kinds(&acknowledged);
    assert_eq!(world.fsck().await, []);
}
