//! `callervault keys rewrap --watch` and the metric, on a real server: how far it has come, to its end, without a count of everything.

use crate::keys::rewrap::{person, used};
use crate::keys::rotation::rotated;
use crate::support::World;
use crate::support::copies::words;
use crate::support::process::{Server, client, run, secret_file};

const LISTEN: [&str; 4] = ["--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0"];
const ROLES: [&str; 3] = ["kek", "row", "index"];

/// `rewrap_rows` of a role, `seen` or `total`.
fn rows(metrics: &str, role: &str, rows: &str) -> u64 {
    let name = format!("callervault_rewrap_rows{{role=\"{role}\",rows=\"{rows}\"}} ");
    let line = metrics.lines().find_map(|line| line.strip_prefix(&name));
    line.expect(metrics).parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rewrap_is_watched_to_its_end() {
    let (world, app) = World::unlimited().await;
    for at in 0..40 {
        let (name, number) = person(at);
        world
            .actor(&app, "agent")
            .take(crate::support::caller(&name, &number))
            .await;
    }
    for role in ROLES {
        rotated(&world, &app, role).await.is(200);
    }
    drop(app);
    let server = Server::start_with(world.dir.path(), "http", &LISTEN);
    let token = world.dir.path().join("token");
    secret_file(&token, world.token("system-admin"));
    let keys = |verb: &[&str]| {
        let reach = ["--url", &server.base, "--token-file", token.to_str().unwrap()];
        let done = run(&[&["keys"], verb, &reach].concat());
        assert_eq!(done.status.code(), Some(0), "{}", words(&done));
        words(&done)
    };
    let told = tokio::task::block_in_place(|| keys(&["rewrap", "--watch"]));
    for role in ROLES {
        let line = told
            .lines()
            .find(|line| line.trim_start().starts_with(role))
            .expect(&told);
        assert!(line.contains("done"), "{told}");
        assert_eq!(used(&world, role), [2], "{role}: it ends when there is nothing left");
    }
    let metrics = client().get(format!("{}/metrics", server.metrics)).call();
    let metrics = metrics.unwrap().body_mut().read_to_string().unwrap();
    for role in ["kek", "index"] {
        let (seen, total) = (rows(&metrics, role, "seen"), rows(&metrics, role, "total"));
        assert!(seen == total && total >= 40, "{role}: {seen} of {total}");
    }
    assert!(rows(&metrics, "row", "seen") > 40);
    // Who watches asks how far it has come, and not how much is left under each version.
    let asked = |route: &str| metrics.lines().any(|line| line.contains(&format!("route=\"{route}\"")));
    assert!(asked("/v1/keys/rewraps") && !asked("/v1/keys"), "{metrics}");
    let listed = tokio::task::block_in_place(|| keys(&["list"]));
    assert!(listed.contains("kek") && listed.contains("done"), "{listed}");
}
