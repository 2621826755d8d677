//! A file of a store is deleted, moved or replaced under a serving vault: nobody is answered any more, and the process ends
//! with an error that says so.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::process::{Server, client};
use crate::support::{World, caller, intake};

/// Which file of a store.
#[derive(Clone, Copy, Debug)]
enum Part {
    Database,
    WriteAhead,
    SharedMemory,
    Lock,
}

/// What happens to it.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Deleted,
    Moved,
    /// By a file with the same bytes.
    Replaced,
}

const FATES: [Fate; 3] = [Fate::Deleted, Fate::Moved, Fate::Replaced];

fn file(store: &Path, part: Part) -> PathBuf {
    let named = |suffix: &str| PathBuf::from(format!("{}{suffix}", store.display()));
    match part {
        Part::Database => store.to_owned(),
        Part::WriteAhead => named("-wal"),
        Part::SharedMemory => named("-shm"),
        Part::Lock => store.with_extension("lock"),
    }
}

fn displace(path: &Path, fate: Fate) {
    let aside = path.with_extension("aside");
    match fate {
        Fate::Deleted => fs::remove_file(path).unwrap(),
        Fate::Moved => fs::rename(path, aside).unwrap(),
        Fate::Replaced => {
            fs::copy(path, &aside).unwrap();
            fs::rename(aside, path).unwrap();
        }
    }
}

/// What a test asks a server again and again.
struct Asked {
    path: String,
    body: Value,
}

impl Asked {
    fn of(&self, server: &Server, world: &World) -> Option<u16> {
        let sent = client()
            .post(format!("{}{}", server.base, self.path))
            .header("authorization", format!("Bearer {}", world.token("handler-c1")))
            .send_json(&self.body);
        sent.ok().map(|answer| answer.status().as_u16())
    }
}

/// A world with a ticket, nothing of it open, and the reveal that its handler asks for.
async fn world() -> (World, Asked) {
    let (world, app) = World::new().await;
    let case = world.case(&app, "C1").await;
    let (path, body) = case.reveal("clear");
    drop(app);
    (world, Asked { path, body })
}

/// Displaces a file under a server that has just answered: it answers no more and says why it ends.
fn ends(world: &World, asked: &Asked, path: &Path, fate: Fate) {
    let what = format!("{} {fate:?}", path.display());
    let mut server = Server::start(world.dir.path());
    assert_eq!(asked.of(&server, world), Some(200), "{what}");
    displace(path, fate);
    let after = asked.of(&server, world);
    assert!(
        matches!(after, None | Some(503)),
        "{what}: answered with {after:?} from a store that is not there"
    );
    let (code, said) = server.ended();
    assert_eq!(code, Some(3), "{what}: {said}");
    let expected = format!(
        "{} was deleted, moved or replaced while the vault had it open\n  ",
        path.display()
    );
    assert!(said.contains(&expected), "{what}: {said}");
}

/// A vault's stores as they were, to begin again from.
struct Kept(Vec<(PathBuf, Vec<u8>)>);

impl Kept {
    fn of(world: &World) -> Self {
        world.settle();
        let stores = [&world.places.data, &world.places.keys];
        Self(stores.map(|store| (store.clone(), fs::read(store).unwrap())).into())
    }

    fn put_back(&self) {
        for (store, bytes) in &self.0 {
            for part in [Part::Database, Part::WriteAhead, Part::SharedMemory] {
                // Not all of them are there.
                let _ = fs::remove_file(file(store, part));
            }
            fs::write(store, bytes).unwrap();
            fs::set_permissions(store, fs::Permissions::from_mode(0o600)).unwrap();
        }
    }
}

/// Everything that may befall these files of a store, each from the same beginning.
async fn each(of: impl Fn(&World) -> &Path, parts: &[Part]) {
    let (world, asked) = world().await;
    let kept = Kept::of(&world);
    for part in parts {
        for fate in FATES {
            let path = file(of(&world), *part);
            tokio::task::block_in_place(|| ends(&world, &asked, &path, fate));
            kept.put_back();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_data_store() {
    each(|world| &world.places.data, &[Part::Database, Part::WriteAhead]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_store() {
    each(|world| &world.places.keys, &[Part::Database, Part::WriteAhead]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_keeps_other_processes_out() {
    each(|world| &world.places.data, &[Part::SharedMemory, Part::Lock]).await;
    each(|world| &world.places.keys, &[Part::SharedMemory, Part::Lock]).await;
}

/// Both directories are moved, and moved back after the process has ended: what was acknowledged is there.
#[tokio::test(flavor = "multi_thread")]
async fn moved_away_and_put_back() {
    let (world, asked) = world().await;
    for store in [&world.places.data, &world.places.keys] {
        let (directory, aside) = (store.parent().unwrap(), world.dir.path().join("aside"));
        tokio::task::block_in_place(|| {
            let mut server = Server::start(world.dir.path());
            let before = intake(caller("李四光", "13700002222"));
            let (status, taken) = server.post(&world, "agent", "/v1/intake", &before);
            assert_eq!(status, 201, "{taken}");
            fs::rename(directory, &aside).unwrap();
            assert!(matches!(asked.of(&server, &world), None | Some(503)));
            assert_eq!(server.ended().0, Some(3));
            fs::rename(&aside, directory).unwrap();
            let server = Server::start(world.dir.path());
            let no = taken["ticket"]["no"].as_str().unwrap();
            let path = format!("/v1/tickets/{no}/dispatch");
            let sent = server.post(
                &world,
                "dispatcher",
                &path,
                &json!({"department": "C1", "reason": "请核查"}),
            );
            assert_eq!(sent.0, 200, "the acknowledged ticket: {}", sent.1);
        });
    }
    assert_eq!(world.fsck().await, []);
}

/// A clean-up deletes a write-ahead log with what was acknowledged last: it is put into the database before the process
/// ends, and the next start finds it.
#[tokio::test(flavor = "multi_thread")]
async fn a_write_ahead_log_that_was_deleted() {
    let (world, asked) = world().await;
    for (number, store) in [&world.places.data, &world.places.keys].into_iter().enumerate() {
        tokio::task::block_in_place(|| {
            let mut server = Server::start(world.dir.path());
            let call = intake(caller("李四光", &format!("1370000000{number}")));
            let (status, taken) = server.post(&world, "agent", "/v1/intake", &call);
            assert_eq!(status, 201, "{taken}");
            displace(&file(store, Part::WriteAhead), Fate::Deleted);
            assert!(matches!(asked.of(&server, &world), None | Some(503)));
            let (code, said) = server.ended();
            assert_eq!(code, Some(3), "{said}");
            let server = Server::start(world.dir.path());
            let no = taken["ticket"]["no"].as_str().unwrap();
            let body = json!({"purpose": "intake", "fields": ["text"], "form": "clear"});
            let path = format!("/v1/tickets/{no}/reveal");
            let (status, shown) = server.post(&world, "agent", &path, &body);
            assert_eq!(status, 200, "the acknowledged ticket and its key: {shown}");
        });
    }
    assert_eq!(world.fsck().await, []);
}

/// Nothing was written since a store was replaced: the program log says so when the process stops, and what stands there
/// is left as it is.
#[tokio::test(flavor = "multi_thread")]
async fn noticed_at_the_latest_when_it_stops() {
    let (world, asked) = world().await;
    for store in [&world.places.data, &world.places.keys] {
        tokio::task::block_in_place(|| {
            let mut server = Server::start(world.dir.path());
            assert_eq!(asked.of(&server, &world), Some(200));
            let parts = [Part::Database, Part::WriteAhead].map(|part| file(store, part));
            parts.iter().for_each(|path| displace(path, Fate::Replaced));
            let before = parts.each_ref().map(|path| fs::read(path).unwrap());
            assert!(!before[1].is_empty(), "there is something to lose");
            server.terminate();
            let (_, said) = server.ended();
            let expected = format!("{} was deleted, moved or replaced", store.display());
            assert!(said.contains(&expected), "{said}");
            let after = parts.each_ref().map(|path| fs::read(path).unwrap());
            assert!(before == after, "{}", store.display());
        });
    }
    assert_eq!(world.fsck().await, []);
}
