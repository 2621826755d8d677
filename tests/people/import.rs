//! A list of people from a spreadsheet: made one by one, each in the log; those who take two persons wait.

use std::path::Path;
use std::process::Output;

use serde_json::json;

use crate::support::process::{Server, run, secret_file};
use crate::support::{PEOPLE, World};

const LIST: &str = "\u{feff}name,department,roles,kind\r\n\
    water-01,C1,handler,\r\n\
    desk-01,H0,agent dispatcher,person\r\n\
    web-01,H0,agent,service\r\n\
    auditor-2,H0,auditor,person\r\n\
    agent,C1,handler,person\r\n";

struct Import<'w> {
    world: &'w World,
    server: Server,
}

impl<'w> Import<'w> {
    fn new(world: &'w World) -> Self {
        secret_file(&world.dir.path().join("token"), world.token("security-admin"));
        Self {
            world,
            server: Server::start(world.dir.path()),
        }
    }

    fn run(&self, list: &str, more: &[&str]) -> Output {
        let file = self.world.dir.path().join("people.csv");
        std::fs::write(&file, list).unwrap();
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        let (file, token) = (text(&file), text(&self.world.dir.path().join("token")));
        let always = [
            "principal",
            "import",
            &file,
            "--url",
            &self.server.base,
            "--token-file",
            &token,
        ];
        run(&[&always, more].concat())
    }
}

#[track_caller]
fn said(output: &Output, code: i32) -> String {
    let words = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{words}");
    words
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_imported_and_can_be_imported_again() {
    let world = World::closed().await;
    tokio::task::block_in_place(|| {
        let import = Import::new(&world);
        let dry = said(&import.run(LIST, &["--dry-run"]), 0);
        assert!(
            dry.contains("would be: 3 made, 1 already exist, 1 waiting for approval, 0 failed"),
            "{dry}"
        );
        let first = said(&import.run(LIST, &["--reason", "new staff"]), 5);
        assert!(
            first.contains("\n3 made, 1 already exist, 1 waiting for approval, 0 failed"),
            "nothing was made before: {first}"
        );
        assert!(
            first.contains("line 6: agent: already exists with another department"),
            "{first}"
        );
        let waits = first
            .lines()
            .find(|line| line.starts_with("line 5: auditor-2: waits for approval "))
            .unwrap();
        let id = waits.rsplit(' ').next().unwrap();
        // It is not asked for twice.
        let again = said(&import.run(LIST, &[]), 5);
        assert!(
            again.contains(waits) && again.contains("0 made, 4 already exist, 1 waiting for approval"),
            "{again}"
        );
        let approve = format!("/v1/approvals/{id}/approve");
        let (status, _) = import
            .server
            .post(&world, "auditor", &approve, &json!({"reason": "seen"}));
        assert_eq!(status, 200);
        let last = said(&import.run(LIST, &[]), 0);
        assert!(
            last.contains("1 made, 4 already exist, 0 waiting for approval"),
            "{last}"
        );
        assert!(last.contains("line 2: water-01: already exists\n"), "{last}");
    });
    each_account_is_an_entry(&world).await;
    assert_eq!(world.fsck().await, []);
}

async fn each_account_is_an_entry(world: &World) {
    let app = world.open().await;
    let [admin, auditor] = world.actors(&app, ["security-admin", "auditor"]);
    let history = auditor.get("/v1/audit/roles?limit=4").await.json();
    let made: Vec<&str> = history["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["account"].as_str().unwrap())
        .collect();
    assert_eq!(
        made,
        ["auditor-2", "web-01", "desk-01", "water-01"],
        "each is an entry of the log"
    );
    let found = admin.post(format!("{PEOPLE}/find"), &json!({"name": "web-01"})).await;
    assert_eq!(
        (found.at("/items/0/kind"), found.at("/items/0/roles/0")),
        ("service".to_owned(), "agent".to_owned())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_wrong_line_and_nothing_is_sent() {
    let world = World::closed().await;
    tokio::task::block_in_place(|| {
        let import = Import::new(&world);
        let list = "name,department,roles,kind\nfine-01,C1,handler,\n王小明,C1,handler,\nx-01,C1U,handler,\ny-01,C1,emperor,\n\
            z-01,C1,handler auditor,\nfine-01,C1,handler,\nv-01,C1,handler,robot\nw-01,C1\n";
        let words = said(&import.run(list, &[]), 1);
        for line in 3..=9 {
            assert!(words.contains(&format!("  line {line}: ")), "{line}: {words}");
        }
        assert!(words.contains("nothing was sent"), "{words}");
        for value in ["王小明", "C1U", "emperor", "robot", "line 2"] {
            assert!(!words.contains(value), "{value}: {words}");
        }
        let words = said(&import.run("name,department,roles\nfine-01,X9,handler\n", &[]), 1);
        assert!(words.contains("line 2: there is no open department X9"), "{words}");
        for list in [
            "",
            "name;department;roles\na-1;C1;handler\n",
            "name,department,roles,phone\na-1,C1,handler,1\n",
        ] {
            let words = said(&import.run(list, &[]), if list.is_empty() { 0 } else { 1 });
            assert!(list.is_empty() || words.contains("the columns must be"), "{words}");
        }
    });
    let app = world.open().await;
    let admin = world.actor(&app, "security-admin");
    let found = admin
        .post(format!("{PEOPLE}/find"), &json!({"name": "fine"}))
        .await
        .is(200);
    assert_eq!(found.json()["items"], json!([]));
}

/// An approval is for what was asked, and the list may say something else by now.
#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_changed_waits_for_an_approval_of_its_own() {
    let world = World::closed().await;
    tokio::task::block_in_place(|| {
        let import = Import::new(&world);
        let list = |roles: &str| format!("name,department,roles\nbob-01,H0,{roles}\n");
        let id = |said: String| {
            let line = said.lines().find(|line| line.contains("bob-01: waits for approval "));
            line.unwrap_or_else(|| panic!("{said}"))
                .rsplit(' ')
                .next()
                .unwrap()
                .to_owned()
        };
        let approve = |id: &str| {
            let path = format!("/v1/approvals/{id}/approve");
            let (status, answer) = import.server.post(&world, "auditor", &path, &json!({"reason": "seen"}));
            assert_eq!(status, 200, "{answer}");
        };
        let auditor = id(said(&import.run(&list("auditor"), &[]), 5));
        let dpo = id(said(&import.run(&list("dpo"), &[]), 5));
        assert_ne!(auditor, dpo, "another request");
        // Each line finds its own again, whichever is newer.
        assert_eq!(id(said(&import.run(&list("auditor"), &[]), 5)), auditor);
        assert_eq!(id(said(&import.run(&list("dpo"), &[]), 5)), dpo);
        approve(&auditor);
        assert_eq!(
            id(said(&import.run(&list("dpo"), &[]), 5)),
            dpo,
            "the approval of the other is not used"
        );
        approve(&dpo);
        let made = said(&import.run(&list("dpo"), &[]), 0);
        assert!(made.contains("1 made"), "{made}");
    });
    let app = world.open().await;
    let admin = world.actor(&app, "security-admin");
    let found = admin.post(format!("{PEOPLE}/find"), &json!({"name": "bob-01"})).await;
    assert_eq!(found.at("/items/0/roles/0"), "dpo");
}
