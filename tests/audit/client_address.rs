//! Where a request came from: auditors see it beside its entry, and nobody else does.

use std::sync::Arc;

use callervault::clock::Fixed;
use callervault::http::App;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::audit::retention::drop_below;
use crate::life::restart::restarted;
use crate::support::copies::grow;
use crate::support::process::{Server, client, run};
use crate::support::{Answer, Case, Request, World};

const HOME: &str = "192.0.2.7";
const AWAY: &str = "2001:db8::17";

fn reveal(case: &Case, address: &str) -> Request {
    let (path, body) = case.reveal("clear");
    Request::post(path, &body).from(address)
}

/// A vault in which the handler of C1 was shown something from two addresses.
async fn shown() -> (World, Arc<App>, [Answer; 2]) {
    let (world, app) = World::new().await;
    let case = world.case(&app, "C1").await;
    let handler = world.actor(&app, "handler-c1");
    let mut answers = Vec::new();
    for address in [HOME, AWAY] {
        answers.push(handler.send(reveal(&case, address)).await.is(200));
    }
    let answers = answers.try_into().unwrap_or_else(|_| unreachable!("two"));
    (world, app, answers)
}

#[tokio::test]
async fn auditors_see_where_a_request_came_from() {
    let (world, app, [home, away]) = shown().await;
    let [auditor, dpo, handler] = world.actors(&app, ["auditor", "dpo", "handler-c1"]);
    let found = auditor.get("/v1/audit/events?act=field.reveal").await.is(200);
    assert_eq!(found.at("/entries/0/client_address"), AWAY);
    assert_eq!(found.at("/entries/1/client_address"), HOME);
    let entry = format!("/v1/audit/events/{}", home.index());
    assert_eq!(auditor.get(&*entry).await.at("/client_address"), HOME);
    let mark = json!({"mark": away.at("/mark")});
    let traced = auditor.post("/v1/audit/trace", &mark).await.is(200);
    assert_eq!(traced.at("/entries/0/client_address"), AWAY);
    assert_eq!(traced.json()["entries"][0].get("client_unproved"), None);

    // The data protection officer sees names, and no address; nor do followers, or the reader's own answer.
    for answer in [
        dpo.get("/v1/audit/events?act=field.reveal").await.is(200),
        dpo.get(&*entry).await.is(200),
        dpo.post("/v1/audit/trace", &mark).await.is(200),
        auditor.get("/v1/audit/follow?from=0").await.is(200),
        auditor
            .post("/v1/audit/exposure", &json!({"actor": world.id("handler-c1")}))
            .await
            .is(200),
        handler.get("/v1/me").await.is(200),
        home,
    ] {
        assert!(
            !answer.text.contains(HOME) && !answer.text.contains("client_address"),
            "{}",
            answer.text
        );
    }
    let metrics = world.metrics(&app).await;
    assert!(!metrics.contains(HOME), "{metrics}");
}

/// A refusal, and a claim of a token: there nobody is authenticated, and the address is all there is.
#[tokio::test]
async fn refusals_and_claims_have_an_address() {
    let (world, app, _) = shown().await;
    let [auditor, nobody, admin] = world.actors(&app, ["auditor", "nobody", "security-admin"]);
    let refused = world
        .actor(&app, "handler-w2")
        .send(Request::get("/v1/audit/events").from(HOME))
        .await;
    let refused = refused.fails(403, "refused");
    let entry = auditor.get(format!("/v1/audit/events/{}", refused.index())).await;
    assert_eq!(entry.at("/client_address"), HOME);

    let codes = format!("{}/codes", world.account("handler-w2"));
    let code = admin.post(codes, &json!({})).await.is(201).at("/code");
    let claim = |code: &str| {
        let body = json!({"account": "handler-w2", "code": code});
        Request::post("/v1/tokens/claim", &body).from(AWAY)
    };
    let other = callervault::model::claim_code::ClaimCode::random(&callervault::randomness::System).unwrap();
    nobody.send(claim(&other.to_text())).await.fails(403, "claim-refused");
    nobody.send(claim(&code)).await.is(201);
    let claims = auditor.get("/v1/audit/events?act=token.claim").await.is(200);
    for at in ["/entries/0", "/entries/1"] {
        assert_eq!(claims.at(&format!("{at}/client_address")), AWAY, "{}", claims.text);
    }
    // What the vault does by itself comes from nowhere.
    app.vault().unwrap().note_unlock("test").await.unwrap();
    let unlock = auditor.get("/v1/audit/events?act=vault.unlock").await.is(200).json();
    assert_eq!(unlock["entries"][0].get("client_address"), None);
    assert_eq!(unlock["entries"][0]["leaf"].get("client"), None);
    drop(app);
    assert_eq!(world.fsck().await, []);
}

/// The leaf goes to followers and outsiders: what it says of an address is the same for no two requests.
#[tokio::test]
async fn a_leaf_tells_nothing_of_the_address() {
    let (world, app) = World::new().await;
    let case = world.case(&app, "C1").await;
    let [handler, auditor] = world.actors(&app, ["handler-c1", "auditor"]);
    let mut digests = Vec::new();
    for _ in 0..2 {
        let read = handler.send(reveal(&case, HOME)).await.is(200);
        let leaf = auditor.entry(&read).await;
        digests.push(leaf["client"].as_str().unwrap().to_owned());
    }
    assert_ne!(digests[0], digests[1]);
    drop(app);
    // Nor do the stores have it, as text or as bytes.
    let bytes = [0xff, 0xff, 192, 0, 2, 7];
    for path in world.files() {
        let file = std::fs::read(&path).unwrap();
        let has = |part: &[u8]| file.windows(part.len()).any(|window| window == part);
        assert!(!has(HOME.as_bytes()) && !has(&bytes), "{path:?}");
    }
    let data = world.data();
    let sizes = data.rows("log_client").column::<Vec<u8>>("sealed");
    assert_eq!(sizes.len(), 2);
    assert_eq!(sizes.iter().map(Vec::len).collect::<Vec<_>>(), [46; 2]);
}

/// Whoever edits rows cannot have an entry come from elsewhere.
#[tokio::test]
async fn an_edited_row_is_found() {
    let (world, app, [home, away]) = shown().await;
    drop(app);
    let index = |answer: &Answer| i64::try_from(answer.index()).unwrap();
    let (one, other) = (index(&home), index(&away));
    let sound = world.data().rows("log_client").kept();
    let elsewhere: Vec<u8> = world.data().rows("log_client").of("idx", other).first("sealed");
    for (sealed, words) in [
        (Some(elsewhere), "is not the one that was logged"),
        (Some(vec![7; 46]), "is not the one that was logged"),
        (None, "is missing"),
    ] {
        let data = world.data();
        let row = data.rows("log_client").of("idx", one);
        match sealed {
            Some(sealed) => row.set("sealed", sealed.as_slice()),
            None => row.delete(),
        };
        world
            .is_found(&format!("client address of log entry {one}"), words)
            .await;
        let app = world.open().await;
        let auditor = world.actor(&app, "auditor");
        let found = auditor.get("/v1/audit/events?act=field.reveal").await.is(200).json();
        assert_eq!(found["entries"][1].get("client_address"), None, "{found}");
        assert_eq!(found["entries"][1]["client_unproved"], json!(true), "{found}");
        assert_eq!(found["entries"][0]["client_address"], json!(AWAY), "{found}");
        drop(app);
        world.data().put_back(&sound);
    }
    assert_eq!(world.fsck().await, []);
    // One that is put beside an entry that has none.
    world.data().rows("log_client").of("idx", one).set("idx", 0_i64);
    world.is_found("client addresses", "belong to no entry").await;
}

/// An address is personal data: it goes with the body of its entry.
#[tokio::test]
async fn addresses_go_with_the_bodies() {
    let (world, app, [_, away]) = shown().await;
    grow(&world, &app, 260).await;
    drop(app);
    let clock = Arc::new(Fixed::at(Timestamp::now() + SignedDuration::from_hours(24 * 1100)));
    let app = world.open_at(clock).await;
    let case = world.case(&app, "W2").await;
    let late = world.actor(&app, "handler-w2").send(reveal(&case, HOME)).await.is(200);
    assert!(away.index() < 256 && late.index() > 256);
    drop_below(&world, &app, 256).await.is(200);
    let left: Vec<u64> = world.data().rows("log_client").column("idx");
    assert_eq!(left, [late.index()]);
    let auditor = world.actor(&app, "auditor");
    let found = auditor.get(format!("/v1/audit/events/{}", late.index())).await.is(200);
    assert_eq!(found.at("/client_address"), HOME);
    drop(app);
    assert_eq!(world.fsck().await, []);
}

/// The real program: behind a proxy that it trusts, and where anybody says who forwards.
#[tokio::test]
async fn a_trusted_proxy_names_the_client() {
    let world = World::closed().await;
    let asked = |server: &Server, headers: &[(&str, &str)]| {
        let get = |path: String, headers: &[(&str, &str)]| {
            let bearer = format!("Bearer {}", world.token("auditor"));
            let request = client()
                .get(format!("{}{path}", server.base))
                .header("authorization", bearer);
            let request = headers
                .iter()
                .fold(request, |request, (name, value)| request.header(*name, *value));
            request.call().unwrap().body_mut().read_json::<Value>().unwrap()
        };
        let index = get("/v1/audit/events?limit=1".to_owned(), headers)["audit"]["index"].clone();
        let entry = get(format!("/v1/audit/events/{index}"), &[]);
        entry["client_address"].as_str().unwrap_or_default().to_owned()
    };
    let header = [
        ("x-forwarded-for", "203.0.113.9, 198.51.100.7"),
        ("forwarded", "for=203.0.113.1"),
    ];
    let serve = |more: &[&str]| {
        let listen = ["--listen", "127.0.0.1:0"];
        Server::start_with(world.dir.path(), "http", &[&listen, more].concat())
    };
    let end = |mut server: Server| {
        server.terminate();
        let (code, said) = server.ended();
        assert_eq!(code, Some(0), "{said}");
        assert!(!said.contains("198.51.100.7") && !said.contains("203.0.113"), "{said}");
    };
    let server = serve(&[]);
    assert_eq!(asked(&server, &header), "127.0.0.1", "nobody is trusted");
    end(server);
    let server = serve(&["--trusted-proxy", "127.0.0.0/8"]);
    assert_eq!(asked(&server, &header), "198.51.100.7");
    assert_eq!(asked(&server, &[]), "127.0.0.1");
    end(server);
    let named = ["--trusted-proxy", "127.0.0.1", "--forwarded-in", "forwarded"];
    let server = serve(&named);
    assert_eq!(asked(&server, &header), "203.0.113.1");
    end(server);
    let wrong = run(&["serve", "--trusted-proxy", "10.0.0.0/33"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("length of its prefix"));
}

/// The next log's entries have theirs, beside those of the log before it.
#[tokio::test]
async fn addresses_outlive_their_log() {
    let (world, app, [home, _]) = shown().await;
    drop(app);
    restarted(&world);
    assert_eq!(world.fsck().await, []);
    let app = world.open().await;
    let auditor = world.actor(&app, "auditor");
    let here = auditor
        .send(Request::get("/v1/audit/events/0").from(HOME))
        .await
        .is(200);
    let entry = auditor.get(format!("/v1/audit/events/{}", here.index())).await.is(200);
    assert_eq!(entry.at("/client_address"), HOME);
    drop(app);
    assert_eq!(world.fsck().await, []);
    let logs: Vec<u64> = world.data().rows("log_client").column("log");
    assert_eq!(logs, [1, 1, 2]);
    let index = i64::try_from(home.index()).unwrap();
    world.data().rows("log_client").of("log", 1).of("idx", index).delete();
    let place = format!("client address of entry {index} of past log 1");
    world.is_found(&place, "is missing").await;
}
