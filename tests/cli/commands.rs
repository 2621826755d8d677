//! What the verbs for a running server have in common: names for ids, versions that they read themselves, text and JSON, exit codes.

use std::path::PathBuf;
use std::process::Output;

use serde_json::Value;

use crate::support::World;
use crate::support::process::{Server, run, secret_file};

/// Departments and accounts as somebody with a token manages them from a command line.
struct Desk {
    world: World,
    server: Server,
    token: PathBuf,
}

impl Desk {
    async fn new() -> Self {
        let world = World::closed().await;
        let server = tokio::task::block_in_place(|| Server::start(world.dir.path()));
        let token = world.dir.path().join("token");
        let desk = Self { world, server, token };
        desk.sit("security-admin");
        desk
    }

    /// Somebody else's turn.
    fn sit(&self, who: &str) {
        secret_file(&self.token, self.world.token(who));
    }

    fn run(&self, arguments: &str) -> Output {
        let always = ["--url", &self.server.base, "--token-file", self.token.to_str().unwrap()];
        let words: Vec<&str> = arguments.split(' ').collect();
        run(&[&words[..], &always].concat())
    }

    /// What it prints, with this exit code.
    #[track_caller]
    fn ends(&self, arguments: &str, code: i32) -> String {
        let output = self.run(arguments);
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8(said).unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments}: {said}");
        said
    }

    #[track_caller]
    fn says(&self, arguments: &str) -> String {
        self.ends(arguments, 0)
    }

    /// The lines of JSON that it prints.
    #[track_caller]
    fn json(&self, arguments: &str) -> Vec<Value> {
        let said = self.says(&format!("{arguments} --json"));
        said.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn departments() {
    let desk = Desk::new().await;
    tokio::task::block_in_place(|| {
        let made = desk.says("department add K7 --name 供水集团 --kind enterprise --city-code 330100-07");
        assert!(made.contains("code        K7\nname        供水集团\n"), "{made}");
        // Columns are as wide as what stands in them, a Chinese character as two others.
        let listed = desk.says("department list");
        let header = listed.lines().next().unwrap();
        let row = listed.lines().find(|row| row.starts_with("K7 ")).unwrap();
        let width = |text: &str| text.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum::<usize>();
        let before = |line: &str, word: &str| width(line.split(word).next().unwrap());
        assert_eq!(before(header, "KIND"), before(row, "enterprise"), "{listed}");
        // Each change leaves the rest as it is.
        desk.says("department rename K7 市供水集团");
        desk.says("department set-city-code K7 330100-08");
        let department = desk
            .json("department list")
            .into_iter()
            .find(|one| one["code"] == "K7")
            .unwrap();
        assert_eq!(
            [&department["name"], &department["city_code"]],
            ["市供水集团", "330100-08"]
        );
        desk.says("department set-city-code K7");
        let stale = desk.ends("department rename K7 自来水公司 --version 1", 4);
        assert!(stale.contains("(412)"), "{stale}");
        let closed = desk.json("department merge K7 --into C1");
        assert_eq!([&closed[0]["state"], &closed[0]["name"]], ["merged", "市供水集团"]);
        assert!(closed[0].get("city_code").is_none());
        let busy = desk.ends("department close C1", 4);
        assert!(busy.contains("(409)"), "{busy}");
        let none = desk.ends("department close Z9", 2);
        assert!(
            none.contains("there is no department Z9\n  `callervault department list`"),
            "{none}"
        );
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_by_their_names() {
    let desk = Desk::new().await;
    tokio::task::block_in_place(|| {
        let made = desk.says("principal add desk-01 --department C1 --roles handler,supervisor");
        assert!(made.contains("roles       handler, supervisor\n"), "{made}");
        // A name that begins so is not this one.
        let none = desk.ends("principal switch-off desk-0", 2);
        assert!(
            none.contains("there is no account desk-0\n  `callervault principal find desk-0`"),
            "{none}"
        );
        let found = desk.says("principal find desk-0");
        assert!(found.contains("\ndesk-01  C1 "), "{found}");
        let one = |arguments: &str| desk.json(arguments).remove(0);
        let account = one("principal show desk-01");
        let id = account["id"].as_str().unwrap();
        assert_eq!(one(&format!("principal show {id}")), account);
        let set = one("principal set desk-01 --roles handler");
        assert_eq!(
            (&set["roles"], &set["active"]),
            (&serde_json::json!(["handler"]), &true.into())
        );
        assert_eq!(one("principal switch-off desk-01")["active"], false);
        // Roles are set without switching it on, and it is switched on with the roles that it has.
        assert_eq!(one("principal set desk-01 --roles supervisor")["active"], false);
        let on = one("principal switch-on desk-01");
        assert_eq!(
            (&on["roles"], &on["active"]),
            (&serde_json::json!(["supervisor"]), &true.into())
        );
        assert_eq!(one("principal move desk-01 --department W2")["department"], "W2");
        let listed = desk.json("principal list --department W2");
        assert!(listed.iter().any(|one| one["name"] == "desk-01"), "{listed:?}");
        let version = listed.iter().find(|one| one["name"] == "desk-01").unwrap()["version"].as_u64();
        desk.ends(
            &format!(
                "principal move desk-01 --department C1 --version {}",
                version.unwrap() - 1
            ),
            4,
        );
        // What an account may be is in the help, and nothing else is taken.
        for said in [
            desk.says("principal add --help"),
            desk.ends("principal add x-1 --department C1 --roles emperor", 2),
        ] {
            assert!(said.contains("security_admin") && said.contains("callback"), "{said}");
        }
    });
    roles_by_name(&desk);
}

/// The auditor, who may not list accounts, names one too.
fn roles_by_name(desk: &Desk) {
    tokio::task::block_in_place(|| {
        desk.sit("auditor");
        let changes = desk.json("audit roles --principal desk-01");
        let accounts: Vec<&str> = changes.iter().map(|one| one["account"].as_str().unwrap()).collect();
        assert_eq!(accounts, ["desk-01"; 6]);
        let none = desk.ends("audit roles --principal desk-0", 2);
        assert!(none.contains("the log has no account desk-0"), "{none}");
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_and_codes_by_names() {
    let desk = Desk::new().await;
    tokio::task::block_in_place(|| {
        let issued = desk.says("token issue handler-c1 --expires 90d --label desk-3");
        assert!(
            issued.contains("token       cvt_") && issued.contains("\ngood until  "),
            "{issued}"
        );
        let tokens = desk.json("token list handler-c1");
        assert_eq!(tokens[0]["label"], "desk-3");
        let listed = desk.says("token list handler-c1");
        assert!(
            listed.starts_with("ID ") && listed.contains("  desk-3  ") && !listed.contains("cvt_"),
            "{listed}"
        );
        let id = tokens[0]["id"].as_str().unwrap();
        desk.says(&format!("token revoke handler-c1 {id}"));
        assert!(desk.json("token list handler-c1")[0]["revoked_at"].is_string());
        let code = desk.json("code issue handler-c1").remove(0);
        assert_eq!(code["code"].as_str().unwrap().len(), 22, "{code}");
        desk.says("code end handler-c1");
        desk.ends("code end handler-c1", 2);
    });
}

/// One table, in `--help` and in the operator's guides.
#[tokio::test(flavor = "multi_thread")]
async fn exit_codes() {
    let desk = Desk::new().await;
    tokio::task::block_in_place(|| {
        desk.ends("department list", 0);
        desk.ends("department add C1 --name 城市管理局", 4);
        desk.ends("department add 0O0 --name 城市管理局", 2);
        desk.ends("principal add Ä --department C1 --roles handler", 2);
        desk.ends("principal add a-1 --department Z9 --roles handler", 2);
        desk.ends("principal add a-1 --department C1 --roles auditor", 5);
        desk.ends("approvals show 00000000000000000000000000000000", 4);
        desk.ends("department list --colour", 2);
        for (who, arguments) in [
            ("agent", "principal list"),
            ("handler-c1", "audit roles"),
            ("agent", "audit export --out out"),
        ] {
            desk.sit(who);
            desk.ends(arguments, 4);
        }
        secret_file(&desk.token, "cvt_unknown");
        desk.ends("principal list", 4);
        desk.ends("audit verify --key nokey", 2);
        let away = run(&["status", "--url", "http://127.0.0.1:9"]);
        assert_eq!(away.status.code(), Some(3));
    });
    let help = String::from_utf8(run(&["--help"]).stdout).unwrap();
    let table = help.split_once("Exit codes:\n").unwrap().1;
    let codes: Vec<&str> = table
        .lines()
        .map(|line| line.split_whitespace().next().unwrap_or_default())
        .collect();
    assert_eq!(codes, ["0", "1", "2", "3", "4", "5"]);
    let pages = ["docs/operators.md", "docs/operators.zh.md"];
    for page in pages.map(|page| std::fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap())
    {
        for code in codes.iter() {
            assert!(page.contains(&format!("\n| {code} | ")), "{code}");
        }
    }
}

/// Both are made from the same declarations as the help.
#[test]
fn manual_pages_and_completions() {
    let dir = tempfile::tempdir().unwrap();
    let made = run(&["man", dir.path().to_str().unwrap()]);
    assert!(made.status.success(), "{made:?}");
    let page = |verb: &str| std::fs::read_to_string(dir.path().join(format!("callervault-{verb}.1"))).unwrap();
    assert!(page("principal-add").contains("security_admin"));
    assert!(page("approvals-approve").contains("\\-\\-token\\-file"));
    for shell in ["bash", "zsh", "fish"] {
        let script = String::from_utf8(run(&["completions", shell]).stdout).unwrap();
        assert!(
            script.contains("security_admin") && script.contains("set-city-code"),
            "{shell}"
        );
    }
}
