//! What the verbs for a running server send nowhere, and what they do not believe or show of an answer.

use std::net::TcpListener;
use std::process::Command;

use serde_json::json;

use crate::support::process::secret_file;
use crate::support::stranger::Stranger;

const ID: &str = "0123456789abcdef0123456789abcdef";
const SECRET: &str = "cvt_Jb3kq9vYt1mXw0";

#[test]
fn only_an_id_becomes_part_of_an_address() {
    let dir = tempfile::tempdir().unwrap();
    let stranger = Stranger::saying("200 OK", "{}");
    let elsewhere = "../admin/recovery/stop?x=";
    for words in [
        &["token", "revoke", ID, SECRET][..],
        &["token", "revoke", ID, elsewhere],
        &["approvals", "show", SECRET],
        &["approvals", "show", elsewhere],
        &["approvals", "approve", elsewhere, "--reason", "seen"],
        &["approvals", "refuse", elsewhere],
        &["principal", "switch-off", ID, "--approval", SECRET],
    ] {
        let (code, said) = stranger.run(dir.path(), words);
        assert_eq!(code, Some(2), "{words:?}: {said}");
        assert!(said.lines().count() > 1, "it says what to do: {said}");
        assert!(!said.contains(SECRET), "{said}");
    }
    assert_eq!(stranger.asked(), Vec::<String>::new());
}

#[test]
fn an_id_is_sent_in_its_one_form() {
    let dir = tempfile::tempdir().unwrap();
    let stranger = Stranger::saying("404 Not Found", r#"{"title":"Not found"}"#);
    let upper = ID.to_uppercase();
    stranger.run(dir.path(), &["approvals", "show", &upper]);
    stranger.run(dir.path(), &["token", "revoke", &upper, &upper]);
    assert_eq!(
        stranger.asked(),
        [
            format!("GET /v1/approvals/{ID} HTTP/1.1"),
            format!("DELETE /v1/admin/principals/{ID}/tokens/{ID} HTTP/1.1"),
        ]
    );
}

#[test]
fn the_words_of_a_server_move_nothing_on_the_terminal() {
    let dir = tempfile::tempdir().unwrap();
    let hostile = "\u{1b}]0;x\u{7}\u{1b}[2J\u{202e}\u{2028}\u{9b}31m\nforged: line";
    let problem = json!({"title": hostile, "detail": hostile, "type": hostile});
    let refusing = Stranger::saying("403 Forbidden", &problem.to_string());
    let failing = Stranger::saying("503 Service Unavailable", &problem.to_string());
    let item =
        json!({"index": 1, "t": hostile, "account": hostile, "principal": hostile, "roles": [hostile], "by": hostile});
    let leaf = json!({"t": hostile, "fields": [hostile], "actor": hostile, "dept": hostile, "role": hostile});
    let entries = json!([{"index": 1, "leaf": leaf, "leaf_hash": hostile, "actor_name": hostile}]);
    let listing = json!({"items": [item], "entries": entries, "audit": {"index": 1}});
    let listing = Stranger::saying("200 OK", &listing.to_string());
    let ready = Stranger::saying("200 OK", &format!("ready\n{hostile}"));
    for (server, words) in [
        (&refusing, &["approvals", "list"][..]),
        (&refusing, &["principal", "switch-off", ID]),
        (&failing, &["audit", "roles"]),
        (&failing, &["audit", "trace", "0000-0000-0000"]),
        (&failing, &["audit", "export"]),
        (&failing, &["status"]),
        (&listing, &["audit", "roles"]),
        (&listing, &["audit", "trace", "0000-0000-0000"]),
        (&listing, &["principal", "list"]),
        (&ready, &["status"]),
    ] {
        let (_, said) = server.run(dir.path(), words);
        let moves = |c: char| c.is_control() && c != '\n' || matches!(c, '\u{202e}' | '\u{2028}');
        assert!(!said.contains(moves), "{words:?}: {said:?}");
        let forged = said.lines().any(|line| line.starts_with("forged"));
        assert!(words == ["status"] || !forged, "{words:?}: {said:?}");
    }
}

#[test]
fn what_a_vault_does_not_answer_is_no_success() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let out = out.to_str().unwrap();
    let code = dir.path().join("code");
    secret_file(&code, "AAAA-AAAA-AAAA");
    let code = code.to_str().unwrap();
    for (status, body) in [
        ("200 OK", "<html>welcome to the hotel</html>"),
        ("200 OK", "{}"),
        ("200 OK", "[]"),
        ("200 OK", ""),
        ("204 No Content", ""),
        ("201 Created", r#"{"audit":{}}"#),
        ("202 Accepted", "{}"),
        ("302 Found", ""),
        ("502 Bad Gateway", "<html>bad gateway</html>"),
    ] {
        let stranger = Stranger::saying(status, body);
        for words in [
            &["status"][..],
            &["principal", "list"],
            &["principal", "find", "a"],
            &["principal", "switch-off", ID],
            &["department", "list"],
            &["department", "add", "K7", "--name", "x", "--kind", "enterprise"],
            &["token", "list", ID],
            &["token", "issue", ID],
            &["token", "revoke", ID, ID],
            &["token", "claim", "a-1", "--code-file", code, "--out", out],
            &["code", "issue", ID],
            &["code", "end", ID],
            &["approvals", "list"],
            &["approvals", "mine"],
            &["approvals", "show", ID],
            &["approvals", "approve", ID, "--reason", "seen"],
            &["audit", "roles"],
            &["audit", "export"],
        ] {
            for json in [false, true] {
                let no_json = matches!(words, ["status", ..] | ["audit", "export"] | ["token", "claim", ..]);
                let more: &[&str] = if json && !no_json { &["--json"] } else { &[] };
                let (code, said) = stranger.run(dir.path(), &[words, more].concat());
                assert!(
                    matches!(code, Some(2 | 3)),
                    "{status} {body} {words:?}: {code:?} {said}"
                );
                assert!(
                    !said.contains("<html>") && said.starts_with("callervault: ") && !said.contains(":  ("),
                    "{words:?}: {said}"
                );
                assert!(said.lines().count() > 1, "it says what to do: {words:?} {said}");
            }
        }
    }
}

/// However it ends: what is left behind is not in the way.
#[test]
fn a_claim_that_is_interrupted_can_be_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    secret_file(&dir.path().join("code"), "AAAA-AAAA-AAAA");
    let (code, out) = (path("code"), path("own.token"));
    let claim = ["token", "claim", "a-1", "--code-file", &code, "--out", &out];
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut claiming = Command::new(env!("CARGO_BIN_EXE_callervault"))
        .args(claim)
        .args(["--url", &format!("http://{}", silent.local_addr().unwrap())])
        .spawn()
        .unwrap();
    let asked = silent.accept().unwrap();
    let process = claiming.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-s", "KILL", &process])
            .status()
            .unwrap()
            .success()
    );
    claiming.wait().unwrap();
    drop(asked);

    let vault = Stranger::saying("201 Created", r#"{"token":"cvt_own","id":"1","audit":{"index":7}}"#);
    let (ended, said) = vault.run(dir.path(), &claim);
    assert_eq!(ended, Some(0), "{said}");
    assert_eq!(std::fs::read_to_string(&out).unwrap(), "cvt_own\n");
    // A file that is there is somebody's token: it is not written over, and the code is not used up.
    let before = vault.asked();
    let (ended, said) = vault.run(dir.path(), &claim);
    assert_eq!(ended, Some(2), "{said}");
    assert!(said.contains("give another --out"), "{said}");
    assert_eq!(vault.asked(), before);
}
