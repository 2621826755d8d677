//! Options from a file and from the environment.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use crate::support::World;
use crate::support::process::{Server, client, passphrase_file};

/// A command line in a directory, with these variables and no others of the program's.
fn command(directory: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_callervault"));
    command.current_dir(directory).args(arguments);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CALLERVAULT_") {
            command.env_remove(name);
        }
    }
    command.envs(variables.iter().copied());
    command
}

fn run(directory: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = command(directory, variables, arguments).output().unwrap();
    let said = [stdout, stderr].concat();
    (status.code(), String::from_utf8(said).unwrap())
}

fn file(directory: &Path, text: &str) {
    std::fs::write(directory.join("callervault.toml"), text).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_started_by_its_file_alone() {
    let world = World::closed().await;
    let dir = world.places.data.parent().unwrap().parent().unwrap();
    let passphrase = passphrase_file(dir);
    let elsewhere = tempfile::tempdir().unwrap();
    file(
        elsewhere.path(),
        &format!(
            "dir = {dir:?}\n\n[serve]\npassphrase-file = {passphrase:?}\nlisten = \"0.0.0.0:0\"\nbehind-proxy = true\n\
             keep-rules = true\nmetrics = \"127.0.0.1:0\"\nnode = \"north\"\n"
        ),
    );
    let mut server = Server::of(command(elsewhere.path(), &[], &["serve"]), "http");
    let ready = client().get(format!("{}/readyz", server.base)).call().unwrap();
    assert_eq!(ready.status(), 200);
    let metrics = client().get(format!("{}/metrics", server.metrics)).call().unwrap();
    assert_eq!(metrics.status(), 200);
    // The flag of the file is in force: the rules stay as they were.
    let fields = world.places.policies.join("fields.toml");
    std::fs::write(&fields, "no fields").unwrap();
    server.signal("HUP");
    server.terminate();
    let (code, said) = server.ended();
    assert_eq!(code, Some(0));
    assert!(!said.contains("rules are bad"), "{said}");
}

/// What is wrong names the value that was taken.
#[test]
fn the_command_line_goes_before_the_environment_and_that_before_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let taken = |variables: &[(&str, &str)], arguments: &[&str]| {
        let (code, said) = run(dir.path(), variables, arguments);
        assert_eq!(code, Some(2), "{said}");
        said
    };
    file(dir.path(), "[serve]\nlisten = \"of-the-file\"\n");
    let variable = [("CALLERVAULT_LISTEN", "of-the-environment")];
    assert!(taken(&[], &["serve"]).contains("of-the-file"));
    assert!(taken(&variable, &["serve"]).contains("of-the-environment"));
    let typed = taken(&variable, &["serve", "--listen", "of-the-line"]);
    assert!(
        typed.contains("of-the-line") && !typed.contains("of-the-environment"),
        "{typed}"
    );
    // Of another verb's section nothing is taken; what stands above all sections is for each verb that has it.
    file(
        dir.path(),
        "dir = \"of-the-file\"\n[serve]\ndir = \"of-serve\"\npassphrase-file = \"passphrase\"\n",
    );
    passphrase_file(dir.path());
    for (verb, named) in [("fsck", "of-the-file"), ("serve", "of-serve")] {
        let (code, said) = run(dir.path(), &[], &[verb, "--passphrase-file", "passphrase"]);
        assert!(code == Some(3) && said.contains(named), "{verb}: {said}");
    }
}

#[test]
fn a_list_a_flag_and_an_option_that_may_stand_alone() {
    let dir = tempfile::tempdir().unwrap();
    let refused = |variables: &[(&str, &str)], text: &str| {
        file(dir.path(), text);
        let (code, said) = run(dir.path(), variables, &["serve", "--passphrase-file", "none"]);
        assert!(matches!(code, Some(2 | 3)), "{said}");
        said
    };
    let both = refused(&[], "[serve]\ntls-cert = \"c\"\n");
    assert!(both.contains("--tls-key"), "{both}");
    passphrase_file(dir.path());
    let list = "[serve]\npassphrase-file = \"passphrase\"\nwitness = [\"https://a.invalid=nokey\", \"https://b.invalid=nokey\"]\n";
    file(dir.path(), list);
    // An empty variable does not take the list away.
    for variables in [&[] as &[(&str, &str)], &[("CALLERVAULT_WITNESS", "")]] {
        let (code, said) = run(dir.path(), variables, &["serve"]);
        assert!(code == Some(2) && said.contains("https://a.invalid"), "{said}");
    }
    let (code, said) = run(
        dir.path(),
        &[("CALLERVAULT_WITNESS", "https://c.invalid=nokey")],
        &["serve"],
    );
    assert!(code == Some(2) && said.contains("https://c.invalid"), "{said}");
    let told = refused(&[("CALLERVAULT_BEHIND_PROXY", "perhaps")], "");
    assert!(
        told.contains("CALLERVAULT_BEHIND_PROXY must be true or false"),
        "{told}"
    );
    let told = refused(&[], "[serve]\nbehind-proxy = \"yes\"\n");
    assert!(told.contains("[serve] behind-proxy must be true or false"), "{told}");
}

/// A noun has options for all verbs below it, which may also stand in the section of one verb or above all sections.
#[test]
fn options_of_a_verb_that_has_others_below_it() {
    let dir = tempfile::tempdir().unwrap();
    let told = |variables: &[(&str, &str)], arguments: &[&str]| {
        let (code, said) = run(dir.path(), variables, arguments);
        assert!(matches!(code, Some(2 | 3)), "{said}");
        said
    };
    let list = ["department", "list"];
    assert!(told(&[], &list).contains("--token-file"), "it is nowhere");
    file(
        dir.path(),
        "token-file = \"of-all\"\n[department]\ntoken-file = \"of-the-file\"\nreason = \"why\"\n[code.issue]\nexpires = \"90d\"\n\
         token-file = \"of-the-verb\"\n",
    );
    assert!(told(&[], &list).contains("of-the-file"));
    assert!(told(&[], &["code", "issue", "NAME", "--reason", "typed"]).contains("of-the-verb"));
    assert!(told(&[], &["code", "end", "NAME"]).contains("of-all"));
    let variable = [("CALLERVAULT_TOKEN_FILE", "of-the-environment")];
    assert!(told(&variable, &list).contains("of-the-environment"));
    for place in 0..=2 {
        let mut words = list.to_vec();
        words.splice(place..place, ["--token-file", "of-the-line"]);
        let typed = told(&variable, &words);
        assert!(typed.contains("of-the-line"), "{words:?}: {typed}");
    }
    let (code, said) = run(dir.path(), &[], &["config", "check"]);
    assert_eq!(code, Some(0), "{said}");
}

/// What verbs have in common may stand in front of them, and is not dropped in silence where a verb does not have it.
#[test]
fn an_option_in_front_of_a_verb_that_does_not_have_it() {
    let dir = tempfile::tempdir().unwrap();
    for verb in [&["serve"] as &[&str], &["policies", "check"], &["audit", "restart"]] {
        let words = [&["--approval", "1"], verb].concat();
        let (code, said) = run(dir.path(), &[], &words);
        let named = format!("`callervault {}` has no option --approval", verb.join(" "));
        assert!(code == Some(2) && said.contains(&named), "{said}");
    }
    // The value of an option is not taken for the verb.
    let (code, said) = run(
        dir.path(),
        &[],
        &["--reason", "department", "department", "--token-file", "none", "list"],
    );
    assert!(code == Some(3) && said.contains("none"), "{said}");
}

/// `import` opens the vault here unless it is told otherwise: an address that is set for all verbs tells nothing.
#[test]
fn an_address_for_all_verbs_does_not_send_calls_away() {
    let dir = tempfile::tempdir().unwrap();
    file(
        dir.path(),
        "url = \"http://127.0.0.1:9\"\nca = \"no.pem\"\ndir = \"nowhere\"\n",
    );
    passphrase_file(dir.path());
    std::fs::write(dir.path().join("calls.jsonl"), "{}\n").unwrap();
    let import = ["import", "--token-file", "passphrase"];
    let imported = |variables: &[(&str, &str)], more: &[&str]| {
        let (code, said) = run(dir.path(), variables, &[&import, more, &["calls.jsonl"]].concat());
        assert!(matches!(code, Some(2 | 3)), "{said}");
        said
    };
    let here = ["--passphrase-file", "passphrase"];
    for variables in [&[] as &[(&str, &str)], &[("CALLERVAULT_URL", "http://127.0.0.1:9")]] {
        let said = imported(variables, &here);
        assert!(said.contains("nowhere") && !said.contains("no.pem"), "{said}");
    }
    // Told so, it goes there, and the file with the passphrase is not in the way.
    let said = imported(&[("CALLERVAULT_PASSPHRASE_FILE", "passphrase")], &["--server"]);
    assert!(said.contains("no.pem"), "{said}");
    let said = imported(&[("CALLERVAULT_SERVER", "true")], &[]);
    assert!(said.contains("no.pem"), "{said}");
    // An address that is typed would have no effect without it.
    let typed = ["--url", "http://127.0.0.1:9"];
    assert!(imported(&[], &typed).contains("--server"));
    let said = imported(&[], &[&here[..], &typed].concat());
    assert!(said.contains("'--url <URL>'"), "{said}");
}

#[test]
fn a_misspelt_name_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    for (text, named) in [
        ("[serve]\nlisten-at = \"127.0.0.1:1\"\n", "serve.listen-at"),
        ("[srve]\n", "srve"),
        ("listen_at = 1\n", "listen_at"),
        ("[audit.verfy]\n", "audit.verfy"),
        ("[department]\ntoken_file = \"t\"\n", "department.token_file"),
        ("[department.list]\nname = \"t\"\n", "department.list.name"),
        ("[serve.dir]\n", "serve.dir"),
        ("[fsck]\nlisten = \"127.0.0.1:1\"\n", "fsck.listen"),
    ] {
        file(dir.path(), text);
        for verb in [&["serve"] as &[&str], &["config", "check"]] {
            let (code, said) = run(dir.path(), &[], verb);
            assert!(code == Some(2) && said.contains(named), "{verb:?} {text}: {said}");
        }
    }
    file(dir.path(), "");
    let (code, said) = run(dir.path(), &[("CALLERVAULT_LISTEN_AT", "x")], &["serve"]);
    assert!(code == Some(2) && said.contains("CALLERVAULT_LISTEN_AT"), "{said}");
}

#[test]
fn a_file_is_checked_whole() {
    let dir = tempfile::tempdir().unwrap();
    let checked = |text: &str| {
        file(dir.path(), text);
        run(dir.path(), &[], &["config", "check"])
    };
    let (code, said) =
        checked("dir = \"v\"\n[serve]\nlisten = \"127.0.0.1:8440\"\n[audit.export]\nformat = \"ocsf\"\n");
    assert_eq!(code, Some(0), "{said}");
    for (text, words) in [
        ("[serve]\nlisten = \"nowhere\"\n", "[serve]"),
        ("[audit.export]\nformat = \"xml\"\n", "[audit.export]"),
        ("[serve]\nquorum = -1\n", "[serve]"),
        ("[serve\n", "callervault.toml"),
    ] {
        let (code, said) = checked(text);
        assert!(code == Some(2) && said.contains(words), "{text}: {said}");
    }
    let (code, said) = run(dir.path(), &[], &["config", "check", "none.toml"]);
    assert!(code == Some(2) && said.contains("none.toml"), "{said}");
    // Who may write it decides where the vault is and who may listen.
    file(dir.path(), "");
    let path = dir.path().join("callervault.toml");
    for (path, mode) in [(path.as_path(), 0o666), (dir.path(), 0o777)] {
        let right = std::fs::metadata(path).unwrap().permissions();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        let (code, said) = run(dir.path(), &[], &["fsck"]);
        assert!(code == Some(2) && said.contains("chmod go-w"), "{said}");
        std::fs::set_permissions(path, right).unwrap();
    }
    std::fs::rename(&path, dir.path().join("other.toml")).unwrap();
    std::os::unix::fs::symlink(dir.path().join("other.toml"), &path).unwrap();
    let (code, said) = run(dir.path(), &[], &["fsck"]);
    assert!(code == Some(2) && said.contains("cannot be read"), "{said}");
}
