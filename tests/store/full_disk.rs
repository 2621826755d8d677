//! A disk with no space left, a real one: 507, nothing is shown, the process stays up, and it goes on by itself when there is
//! space again. What was acknowledged is there.

use std::fs::{self, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::support::process::{Server, client, skipped};
use crate::support::{World, caller, intake};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Tmpfs,
    /// On a file.
    Ext4,
}

/// A small file system of its own, unmounted when the test ends.
pub(crate) struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Mounts one over a directory, which keeps its files.
    pub(crate) fn over(directory: &Path, kind: Kind) -> Option<Self> {
        let mut files: Vec<(PathBuf, Vec<u8>)> = Vec::new();
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            files.push((path.clone(), fs::read(&path).unwrap()));
        }
        let mounted = match kind {
            Kind::Tmpfs => done("mount", &["-t", "tmpfs", "-o", "size=3m", "tmpfs", text(directory)]),
            Kind::Ext4 => {
                let image = directory.with_extension("image");
                fs::File::create(&image).unwrap().set_len(6 << 20).unwrap();
                done("mkfs.ext4", &["-q", "-m", "0", text(&image)])
                    && done("mount", &["-o", "loop", text(&image), text(directory)])
            }
        };
        if !mounted {
            return None;
        }
        fs::set_permissions(directory, Permissions::from_mode(0o700)).unwrap();
        for (path, bytes) in files {
            fs::write(&path, bytes).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        }
        Some(Self(directory.to_owned()))
    }

    fn filler(&self) -> PathBuf {
        self.0.join("filler")
    }

    pub(crate) fn fill(&self) {
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.filler())
            .unwrap();
        for piece in [4096, 1] {
            while file.write_all(&vec![0; piece]).is_ok() {}
        }
        assert_eq!(file.write(&[0]).unwrap_err().kind(), std::io::ErrorKind::StorageFull);
    }

    pub(crate) fn free(&self) {
        fs::remove_file(self.filler()).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        done("umount", &["--lazy", text(&self.0)]);
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn done(program: &str, arguments: &[&str]) -> bool {
    let output = Command::new(program).args(arguments).output();
    output.is_ok_and(|output| output.status.success())
}

/// A served world and what its clients were told.
struct Story {
    world: World,
    server: Server,
    reveal: (String, Value),
    calls: u32,
    acknowledged: Vec<Acknowledged>,
}

/// What a client was told is done: the entry, and the ticket where one was made.
struct Acknowledged {
    index: i64,
    leaf_hash: String,
    ticket: Option<String>,
}

impl Story {
    /// A world with a ticket, served when these directories of it lie on a small disk.
    async fn on<const N: usize>(
        test: &str,
        kind: Kind,
        directories: impl Fn(&World) -> [PathBuf; N],
    ) -> Option<(Self, [SmallDisk; N])> {
        let (world, app) = World::new().await;
        let case = world.case(&app, "C1").await;
        drop(app);
        world.settle();
        let disks = directories(&world).map(|directory| SmallDisk::over(&directory, kind));
        if disks.iter().any(Option::is_none) {
            skipped(&format!("{test}: only root may mount a small {kind:?} to fill"));
            return None;
        }
        let server = tokio::task::block_in_place(|| Server::start(world.dir.path()));
        let story = Self {
            world,
            server,
            reveal: case.reveal("clear"),
            calls: 0,
            acknowledged: Vec::new(),
        };
        Some((story, disks.map(Option::unwrap)))
    }

    fn reveals(&mut self) -> (u16, Value) {
        let (path, body) = &self.reveal;
        let (status, answer) = self.server.post(&self.world, "handler-c1", path, body);
        self.told(&answer);
        (status, answer)
    }

    fn takes(&mut self) -> (u16, Value) {
        self.calls += 1;
        let body = intake(caller("李四光", &format!("137{:08}", self.calls)));
        let (status, answer) = self.server.post(&self.world, "agent", "/v1/intake", &body);
        self.told(&answer);
        (status, answer)
    }

    fn told(&mut self, answer: &Value) {
        if let Some(index) = answer.pointer("/audit/index").and_then(Value::as_i64) {
            let ticket = answer.pointer("/ticket/no").and_then(Value::as_str);
            self.acknowledged.push(Acknowledged {
                index,
                leaf_hash: answer["audit"]["leaf_hash"].as_str().unwrap().to_owned(),
                ticket: ticket.map(str::to_owned),
            });
        }
    }

    /// Until one of them meets the full disk: what is still free in files that are there already takes a few more.
    fn until_full(&mut self, mut act: impl FnMut(&mut Self) -> (u16, Value)) {
        for _ in 0..20_000 {
            match act(self) {
                (200 | 201, _) => {}
                (status, answer) => return full(status, &answer),
            }
        }
        unreachable!("the disk never fills");
    }

    /// The process is killed where it stands; another finds everything that was acknowledged.
    async fn ends(self, again: impl FnOnce(&Server, &World)) {
        let Self {
            world,
            mut server,
            reveal,
            acknowledged,
            ..
        } = self;
        server.process.kill().unwrap();
        server.process.wait().unwrap();
        let server = Server::start(world.dir.path());
        let (status, shown) = server.post(&world, "handler-c1", &reveal.0, &reveal.1);
        assert_eq!(status, 200, "{shown}");
        let data = world.data();
        for done in &acknowledged {
            let hash: Vec<u8> = data.rows("log_entry").of("idx", done.index).first("leaf_hash");
            assert_eq!(
                data_encoding::BASE64.encode(&hash),
                done.leaf_hash,
                "an acknowledged entry"
            );
            let is_there = |no: &String| data.rows("ticket").of("no", &**no).count() == 1;
            assert!(done.ticket.iter().all(is_there), "an acknowledged ticket");
        }
        drop(data);
        assert!(!acknowledged.is_empty());
        again(&server, &world);
        drop(server);
        assert_eq!(world.fsck().await, [], "nothing was half-written");
    }
}

/// The problem, with its remedy and nothing of the caller.
fn full(status: u16, answer: &Value) {
    let problem = answer["type"].as_str();
    assert_eq!(
        (status, problem),
        (507, Some("urn:callervault:problem:storage-full")),
        "{answer}"
    );
    assert!(
        answer["detail"].as_str().unwrap().contains("Free some disk space"),
        "{answer}"
    );
    assert!(
        answer.get("fields").is_none() && answer.get("audit").is_none(),
        "{answer}"
    );
}

fn data(world: &World) -> PathBuf {
    world.places.data.parent().unwrap().to_owned()
}

fn keys(world: &World) -> PathBuf {
    world.places.keys.parent().unwrap().to_owned()
}

/// Fills the disk under reveals and intakes by turns, twice, and frees it again.
async fn fill_and_free<const N: usize>(test: &str, kind: Kind, directories: impl Fn(&World) -> [PathBuf; N]) {
    let Some((mut story, disks)) = Story::on(test, kind, directories).await else {
        return;
    };
    tokio::task::block_in_place(|| {
        for round in 0..2 {
            assert_eq!(story.takes().0, 201);
            assert_eq!(story.reveals().0, 200);
            disks.iter().for_each(SmallDisk::fill);
            if round == 0 {
                story.until_full(Story::reveals);
                story.until_full(Story::takes);
            } else {
                story.until_full(Story::takes);
                story.until_full(Story::reveals);
            }
            for _ in 0..3 {
                let (status, answer) = story.reveals();
                full(status, &answer);
            }
            disks.iter().for_each(SmallDisk::free);
            assert_eq!(story.reveals().0, 200, "space is there again, and it goes on by itself");
            assert_eq!(story.takes().0, 201);
        }
    });
    story.ends(|_, _| {}).await;
    drop(disks);
}

#[tokio::test(flavor = "multi_thread")]
async fn under_the_data_store() {
    fill_and_free("full_disk::under_the_data_store", Kind::Tmpfs, |world| [data(world)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn under_the_data_store_on_ext4() {
    fill_and_free("full_disk::under_the_data_store_on_ext4", Kind::Ext4, |world| {
        [data(world)]
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn under_both_stores() {
    fill_and_free("full_disk::under_both_stores", Kind::Tmpfs, |world| {
        [data(world), keys(world)]
    })
    .await;
}

/// A commit is in the log, and the key store has no room to put down that the log has come so far: what was written is not
/// told of, not to a repeated request either, and nothing more is written until there is room.
#[tokio::test(flavor = "multi_thread")]
async fn under_the_key_store() {
    let test = "full_disk::under_the_key_store";
    let Some((mut story, disks)) = Story::on(test, Kind::Tmpfs, |world| [keys(world)]).await else {
        return;
    };
    let dispatch = |server: &Server, world: &World, no: &str| {
        let answer = client()
            .post(format!("{}/v1/tickets/{no}/dispatch", server.base))
            .header("authorization", format!("Bearer {}", world.token("dispatcher")))
            .header("idempotency-key", format!("dispatch of {no}"))
            .send_json(json!({"department": "C1", "reason": "请核查"}));
        let mut answer = answer.unwrap();
        let status = answer.status().as_u16();
        (status, answer.body_mut().read_json::<Value>().unwrap_or_default())
    };
    let no = tokio::task::block_in_place(|| {
        for _ in 0..5 {
            assert_eq!(story.takes().0, 201);
        }
        let tickets: Vec<String> = story
            .acknowledged
            .iter()
            .filter_map(|done| done.ticket.clone())
            .collect();
        disks.iter().for_each(SmallDisk::fill);
        let (no, first) = tickets
            .into_iter()
            .map(|no| (no.clone(), dispatch(&story.server, &story.world, &no)))
            .find(|(_, (status, _))| *status != 200)
            .expect("one of the first meets the full disk");
        full(first.0, &first.1);
        assert!(
            first.1["detail"].as_str().unwrap().contains("The entry is in the log"),
            "{}",
            first.1
        );
        let (status, answer) = dispatch(&story.server, &story.world, &no);
        full(status, &answer);
        let (status, answer) = story.reveals();
        full(status, &answer);
        assert!(
            answer["detail"].as_str().unwrap().contains("Nothing was written"),
            "{answer}"
        );
        disks.iter().for_each(SmallDisk::free);
        assert_eq!(story.reveals().0, 200);
        no
    });
    story
        .ends(|server, world| {
            let (status, answer) = dispatch(server, world, &no);
            assert_eq!(status, 200, "it had been done: {answer}");
        })
        .await;
    drop(disks);
}
