//! A data store put back to an older copy, beside a key store that remembers how far the log had come.

use crate::support::rows::Store;
use crate::support::{World, caller};

#[tokio::test]
async fn a_data_store_put_back_is_refused_and_says_what_was_lost() {
    let (world, app) = World::new().await;
    world.case(&app, "C1").await;
    drop(app);
    let old = world.backup();
    let size = || -> u64 { world.data().rows("log_head").first("size") };
    let before = size();
    let app = world.open().await;
    world.case_of(&app, "C1", caller("李四光", "13700002222")).await;
    drop(app);
    let after = size();
    assert!(after > before);
    assert_eq!(world.fsck().await, []);

    world.restore(&old);
    let error = world.try_open().await.err().expect("refused").to_string();
    let said = format!(
        "it holds {before} entries and had come to {after}; entries {before} to {} are lost",
        after - 1
    );
    assert!(error.contains(&said), "{error}");
    let findings = world.fsck().await;
    assert!(
        findings
            .iter()
            .any(|finding| finding.place == "fence" && finding.what.contains(&said)),
        "{findings:?}"
    );
}

#[tokio::test]
async fn a_log_that_begins_otherwise_is_refused() {
    let world = World::closed().await;
    let keys = world.keys();
    keys.rows("fence").set("root", [0; 32]);
    let error = world.try_open().await.err().expect("refused").to_string();
    assert!(error.contains("are not those it had come to"), "{error}");
    keys.rows("fence").delete();
    let error = world.try_open().await.err().expect("refused").to_string();
    assert!(error.contains("does not say how far"), "{error}");
}

#[tokio::test]
async fn a_fence_behind_the_log_is_harmless() {
    let world = World::closed().await;
    let kept = world.keys().rows("fence").kept();
    let app = world.open().await;
    world.case(&app, "C1").await;
    drop(app);
    let size_and_root = |store: Store, table| -> Vec<(u64, Vec<u8>)> { store.rows(table).read(["size", "root"]) };
    assert_eq!(
        size_and_root(world.keys(), "fence"),
        size_and_root(world.data(), "log_head"),
        "the fence goes along"
    );
    // As after a loss of power, which may take the last fences.
    world.keys().put_back(&kept);
    drop(world.open().await);
    assert_eq!(world.fsck().await, []);
}
