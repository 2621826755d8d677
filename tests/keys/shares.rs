//! A vault that opens by shares: people bring them one by one, in any order, and what does not fit is named.

use std::sync::Arc;

use callervault::clock::{Fixed, System};
use callervault::http::App;
use callervault::keyring::KeyError;
use callervault::keyring::unlock::{Choice, Opener, Scheme, Share, Shares};
use callervault::vault::Vault;
use callervault::vault::life::fsck;
use callervault::vault::life::open::{OpenError, Running};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::keys::unlocking::{NOON, told, unlock};
use crate::support::{Answer, PASSPHRASE, Request, World, passphrase};

impl World {
    /// Opens the vault and changes what opens it.
    async fn rekey<'o>(&self, opener: impl Into<Opener<'o>>, choice: impl Into<Choice<'o>>) -> Vec<String> {
        let vault = self.open_by(opener).await.unwrap();
        let rekeying = vault.prepare_rekey(choice).await.unwrap();
        vault.rekey(&rekeying).await.unwrap();
        let texts = rekeying.shares().iter();
        texts.map(|share| share.text().unwrap().text().to_owned()).collect()
    }

    /// As `rekey`, by shares instead of the passphrase that every world begins with.
    pub(crate) async fn shared(&self, threshold: u8, shares: u8) -> Vec<String> {
        let choice = Choice::Shares(Scheme::new(threshold, shares).unwrap());
        self.rekey(&passphrase(), choice).await
    }

    async fn open_by<'o>(&self, opener: impl Into<Opener<'o>>) -> Result<Vault, OpenError> {
        Vault::open_with(&self.places, opener, Arc::new(System), "test", Running::patient()).await
    }

    /// Why these shares do not open it.
    async fn refuses(&self, texts: &[String]) -> KeyError {
        let Some(OpenError::Key(error)) = self.open_by(&set(texts)).await.err() else {
            unreachable!("they are no shares of this vault");
        };
        error
    }
}

fn set(texts: &[String]) -> Shares {
    let mut shares = Shares::default();
    for text in texts {
        shares.add(Share::read(text).ok().unwrap()).unwrap();
    }
    shares
}

/// A share that is sent on the machine itself.
fn share(text: &str) -> Request {
    Request::post("/v1/keys/unlock", &json!({"share": text})).from("127.0.0.1")
}

async fn send(world: &World, app: &Arc<App>, text: &str) -> Answer {
    world.actor(app, "nobody").send(share(text)).await
}

/// It is in, with those before it.
async fn is_in(world: &World, app: &Arc<App>, text: &str, numbers: &[u8]) {
    let answer = send(world, app, text).await.is(202);
    let threshold = answer.json()["threshold"].clone();
    assert_eq!(answer.json(), json!({"shares_in": numbers, "threshold": threshold}));
}

#[tokio::test]
async fn several_people_unlock_in_any_order() {
    let world = World::closed().await;
    let shares = world.shared(3, 5).await;
    assert_eq!(shares.len(), 5);
    let app = world.locked().await;
    let nobody = world.actor(&app, "nobody");
    is_in(&world, &app, &shares[4], &[5]).await;
    is_in(&world, &app, &shares[1].to_uppercase(), &[2, 5]).await;
    nobody.get("/readyz").await.fails(503, "locked");
    // Nothing of it is open meanwhile.
    let last = send(&world, &app, &shares[3]).await.is(200);
    let leaf = world
        .actor(&app, "auditor")
        .entry_at(last.json()["index"].as_u64().unwrap())
        .await;
    let named = leaf["link"]["set"].clone();
    let link = json!({"way": "unlock", "opened_by": "shares", "generation": "2", "shares": "2 4 5", "set": named});
    assert_eq!((&leaf["act"], &leaf["link"]), (&json!("vault.unlock"), &link));
    assert_eq!(
        changes(&world, &app).await[0]["set"],
        named,
        "it is the one that was announced"
    );
    nobody.get("/readyz").await.is(200);
    let case = world.case(&app, "C1").await;
    world.actor(&app, "handler-c1").reveal(&case).clear().await.is(200);
    send(&world, &app, &shares[0]).await.fails(409, "already-unlocked");
    // A share that is not looked at is not kept for the next time either.
    world
        .actor(&app, "system-admin")
        .post("/v1/keys/lock", &json!({}))
        .await
        .is(200);
    is_in(&world, &app, &shares[2], &[3]).await;
    is_in(&world, &app, &shares[0], &[1, 3]).await;
    send(&world, &app, &shares[1]).await.is(200);
    drop(app);
    let found = fsck::check(&world.places, &set(&shares), &|_| {}).await.unwrap();
    assert_eq!(found.findings, []);
}

#[tokio::test]
async fn a_share_that_does_not_fit_is_named_and_the_others_stay() {
    let (world, clock) = (World::closed().await, Arc::new(Fixed::at(NOON)));
    let older = world.shared(2, 3).await;
    let keys = std::fs::read(&world.places.keys).unwrap();
    let choice = Choice::Shares(Scheme::new(3, 5).unwrap());
    let shares = world.rekey(&set(&older[..2]), choice).await;
    let (other, app) = World::of_its_own().await;
    drop(app);
    let foreign = other.shared(3, 5).await;
    let app = world.locked_at(clock.clone()).await;
    is_in(&world, &app, &shares[0], &[1]).await;
    let mistyped = shares[1].replace(&shares[1][30..31], if &shares[1][30..31] == "q" { "p" } else { "q" });
    let mut now = NOON;
    let mut named = async |text: &str, status: u16, name: &str, words: &[&str]| {
        let answer = send(&world, &app, text).await.fails(status, name);
        for word in words {
            assert!(answer.text.contains(word), "{}", answer.text);
        }
        assert!(!answer.text.contains(text));
        now += SignedDuration::from_secs(30);
        clock.set(now);
    };
    named(&mistyped, 422, "bad-share", &["letter by letter"]).await;
    named("cvshare1", 422, "bad-share", &[]).await;
    named(&foreign[1], 403, "foreign-share", &["another vault"]).await;
    named(&older[1], 403, "older-share", &["generation 2", "generation 3"]).await;
    named(&shares[0], 409, "duplicate-share", &["Share 1 is in"]).await;
    let nobody = world.actor(&app, "nobody");
    nobody.send(unlock(PASSPHRASE)).await.fails(409, "opens-by-shares");
    clock.set(now + SignedDuration::from_secs(60));
    is_in(&world, &app, &shares[3], &[1, 4]).await;
    send(&world, &app, &shares[2]).await.is(200);
    // What was not for this vault counts: strangers do not try as often as they like. Mistakes of those who hold the right shares do not.
    assert_eq!(told(&world, &app).await["wrong_machine"], "3");
    drop(app);
    // A key store from before the change: the shares of then open it, and those of today say why they do not.
    std::fs::write(&world.places.keys, keys).unwrap();
    let app = world.locked().await;
    let newer = send(&world, &app, &shares[0]).await.fails(403, "newer-share");
    assert!(newer.text.contains("generation 3") && newer.text.contains("generation 2"));
}

#[tokio::test]
async fn both_or_neither_is_not_understood() {
    let world = World::closed().await;
    let shares = world.shared(2, 2).await;
    let app = world.locked().await;
    let nobody = world.actor(&app, "nobody");
    for body in [
        json!({}),
        json!({"share": shares[0], "passphrase": PASSPHRASE}),
        json!({"share": null}),
    ] {
        let request = Request::post("/v1/keys/unlock", &body).from("127.0.0.1");
        nobody.send(request).await.fails(400, "not-one-opener");
    }
    let request = Request::post("/v1/keys/unlock", &json!({"shares": shares})).from("127.0.0.1");
    let answer = nobody.send(request).await.is(400);
    assert!(!answer.text.contains(&shares[0]));
    // A share in clear is not taken from another machine either.
    let request = share(&shares[0]).from("203.0.113.7");
    nobody.send(request).await.fails(403, "unlock-in-clear");
    // Nor does a share open a vault that opens by a passphrase.
    let other = World::closed().await;
    let app = other.locked().await;
    let none = send(&other, &app, &shares[0]).await;
    none.fails(403, "newer-share");
    assert_eq!(other.keys().rows("unlock_try").first::<u32>("wrong"), 1);
}

/// A share that says of itself what the right one says, and is not the one.
fn forged(text: &str) -> String {
    let (prefix, mut bytes) = bech32::decode(text).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    bech32::encode::<bech32::Bech32m>(prefix, &bytes).unwrap()
}

/// A change that was broken off after its shares were handed out, and one of another copy: the next has the same generation, and none of their
/// shares is taken for one of it.
#[tokio::test]
async fn a_generation_that_comes_twice_has_another_set() {
    let world = World::closed().await;
    let choice = || Choice::Shares(Scheme::new(2, 3).unwrap());
    let vault = world.open_by(&passphrase()).await.unwrap();
    let broken_off = vault.prepare_rekey(choice()).await.unwrap();
    drop(vault);
    let keys = std::fs::read(&world.places.keys).unwrap();
    let lost = world.shared(2, 3).await;
    // The key store from before the change.
    std::fs::write(&world.places.keys, keys).unwrap();
    let shares = world.shared(2, 3).await;
    let broken_off: Vec<String> = broken_off
        .shares()
        .iter()
        .map(|one| one.text().unwrap().text().to_owned())
        .collect();
    for others in [&broken_off, &lost] {
        assert_eq!(world.refuses(&others[..2]).await, KeyError::ShareOfOtherSet(2));
    }
    let app = world.locked().await;
    is_in(&world, &app, &shares[0], &[1]).await;
    send(&world, &app, &lost[1]).await.fails(403, "share-of-another-set");
    drop(app);
    let app = App::new(world.open_by(&set(&shares[..2])).await.unwrap());
    let sets: Vec<Value> = changes(&world, &app)
        .await
        .iter()
        .map(|link| link["set"].clone())
        .collect();
    assert_eq!(sets.len(), 2);
    assert_ne!(sets[0], sets[1], "the log tells them apart");
}

/// One share is false.
#[tokio::test]
async fn a_wrong_set_is_a_wrong_try_and_is_wiped() {
    let (world, clock) = (World::closed().await, Arc::new(Fixed::at(NOON)));
    let shares = world.shared(3, 5).await;
    let app = world.locked_at(clock.clone()).await;
    is_in(&world, &app, &shares[0], &[1]).await;
    // Nobody hears that this one is wrong.
    is_in(&world, &app, &forged(&shares[1]), &[1, 2]).await;
    let wrong = send(&world, &app, &shares[2]).await.fails(403, "wrong-shares");
    assert!(
        wrong.text.contains("cannot be told") && wrong.text.contains(" 1 s"),
        "{}",
        wrong.text
    );
    send(&world, &app, &shares[0]).await.fails(429, "unlock-too-soon");
    clock.set(NOON + SignedDuration::from_secs(1));
    is_in(&world, &app, &shares[0], &[1]).await;
    is_in(&world, &app, &shares[1], &[1, 2]).await;
    send(&world, &app, &shares[2]).await.is(200);
    let link = told(&world, &app).await;
    assert_eq!(
        (&link["wrong_machine"], &link["shares"]),
        (&json!("1"), &json!("1 2 3"))
    );
}

#[tokio::test]
async fn a_lock_wipes_the_shares_that_are_in() {
    let world = World::closed().await;
    let shares = world.shared(2, 3).await;
    let app = world.locked().await;
    is_in(&world, &app, &shares[0], &[1]).await;
    app.door().lock_at_signal().await;
    is_in(&world, &app, &shares[1], &[2]).await;
    send(&world, &app, &shares[0]).await.is(200);
}

/// The leaves of changes, oldest first.
async fn changes(world: &World, app: &Arc<App>) -> Vec<Value> {
    let found = world
        .actor(app, "auditor")
        .get("/v1/audit/events?act=key.rekey")
        .await
        .json();
    let entries = found["entries"].as_array().unwrap().iter().rev();
    entries.map(|entry| entry["leaf"]["link"].clone()).collect()
}

/// What the log says of changes, and the names of the sets beside it.
fn without_sets(mut links: Vec<Value>) -> (Vec<Value>, Vec<Value>) {
    let objects = links.iter_mut().filter_map(Value::as_object_mut);
    let sets = objects.filter_map(|link| link.remove("set")).collect();
    (links, sets)
}

/// The old wrapping of the root key is gone. The search finds the one that is there.
fn is_in_no_file(world: &World, old: &[u8]) {
    let files = world.files();
    let holding = |bytes: &[u8]| {
        let holds = |path: &&std::path::PathBuf| memchr::memmem::find(&std::fs::read(path).unwrap(), bytes).is_some();
        files.iter().filter(holds).count()
    };
    assert_eq!(holding(old), 0);
    let new: Vec<u8> = world.keys().rows("unlock").first("wrapped_root");
    assert!(holding(&new) > 0);
}

/// From the passphrase to shares, to others, and back; what opened it before does not, and no data is touched.
#[tokio::test]
async fn holders_and_ways_change_and_nothing_else_does() {
    let (world, app) = World::new().await;
    let case = world.case(&app, "C1").await;
    drop(app);
    let root: Vec<u8> = world.keys().rows("unlock").first("wrapped_root");
    let keys = |world: &World| {
        let mut all = world.keys().everything();
        all.retain(|table, _| table == "keyring" || table == "record_key" || table == "vault");
        all
    };
    let before = keys(&world);

    let first = world.shared(3, 5).await;
    assert_eq!(
        world
            .open_by(&passphrase())
            .await
            .err()
            .unwrap()
            .to_string()
            .lines()
            .next(),
        Some("this vault opens by shares")
    );
    assert_eq!(world.refuses(&first[..2]).await, KeyError::TooFewShares);
    for of in [[0, 1, 2], [4, 2, 0], [1, 3, 4]] {
        let texts = of.map(|at: usize| first[at].clone());
        drop(world.open_by(&set(&texts)).await.unwrap());
    }
    is_in_no_file(&world, &root);

    let choice = Choice::Shares(Scheme::new(2, 255).unwrap());
    let second = world.rekey(&set(&first[1..4]), choice).await;
    assert_eq!(
        world.refuses(&first[1..4]).await,
        KeyError::OlderShare { of: 2, now: 3 }
    );
    drop(world.open_by(&set(&second[253..])).await.unwrap());

    assert_eq!(world.rekey(&set(&second[..2]), &passphrase()).await, [""; 0]);
    assert_eq!(
        world.refuses(&second[..2]).await,
        KeyError::OlderShare { of: 3, now: 4 }
    );
    assert_eq!(keys(&world), before);
    let app = world.open().await;
    world.actor(&app, "handler-c1").reveal(&case).clear().await.is(200);
    let (told_of, sets) = without_sets(changes(&world, &app).await);
    assert!(sets.len() == 2 && sets[0] != sets[1], "{sets:?}");
    let expected = [
        json!({"from": "passphrase", "to": "shares", "generation": "2", "threshold": "3", "shares": "5"}),
        json!({"from": "shares", "to": "shares", "generation": "3", "threshold": "2", "shares": "255"}),
        json!({"from": "shares", "to": "passphrase", "generation": "4"}),
    ];
    assert_eq!(told_of, expected);
    app.vault().unwrap().note_unlock("serve").await.unwrap();
    assert_eq!(told(&world, &app).await, json!({"way": "serve", "generation": "4"}));
    drop(app);
    assert_eq!(world.fsck().await, []);
}

/// Whoever edits the key store gains nothing: each column that says how the root key opens is bound to it.
#[tokio::test]
async fn an_edited_way_does_not_open() {
    let world = World::closed().await;
    let shares = world.shared(2, 3).await;
    let sound = std::fs::read(&world.places.keys).unwrap();
    for (column, value) in [("threshold", 3), ("shares", 2), ("generation", 3)] {
        world.keys().rows("unlock").set(column, value);
        assert!(world.open_by(&set(&shares[1..])).await.is_err(), "{column}");
        std::fs::write(&world.places.keys, &sound).unwrap();
    }
    world.keys().rows("unlock").set("way", "passphrase");
    let weak = world.open_by(&passphrase()).await.err().unwrap();
    assert!(matches!(weak, OpenError::Key(KeyError::WeakParameters)), "{weak}");
    std::fs::write(&world.places.keys, &sound).unwrap();
    world.keys().rows("unlock").set("way", "a key under the mat");
    assert!(world.open_by(&set(&shares[1..])).await.is_err());
    std::fs::write(&world.places.keys, &sound).unwrap();
    drop(world.open_by(&set(&shares[1..])).await.unwrap());
}

/// What people bring is not told to be wrong where nothing can be right.
#[tokio::test]
async fn a_damaged_root_key_is_told_as_damage() {
    let world = World::closed().await;
    let damage = || {
        let rows = world.keys();
        let mut wrapped: Vec<u8> = rows.rows("unlock").first("wrapped_root");
        *wrapped.last_mut().unwrap() ^= 1;
        rows.rows("unlock").set("wrapped_root", &wrapped[..]);
    };
    damage();
    let told = world.open_by(&passphrase()).await.err().unwrap();
    assert!(matches!(told, OpenError::Key(KeyError::RootDamaged)), "{told}");
    damage();
    let shares = world.shared(2, 3).await;
    damage();
    assert_eq!(world.refuses(&shares[..2]).await, KeyError::RootDamaged);
    let app = world.locked().await;
    send(&world, &app, &shares[0]).await.fails(503, "not-opened");
}
