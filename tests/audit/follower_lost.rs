//! A follower whose log or file is not the one that it knew.

use std::fs::{read_to_string, write};

use super::export::scene;
use super::follower::{Follower, each_once, indexes, until};

/// After a restart of the log, positions of the old one mean nothing in the new one.
#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_of_another_log_is_refused() {
    let scene = scene().await;
    tokio::task::block_in_place(|| {
        let [file, cursor] = ["siem", "cursor"].map(|name| scene.path(name));
        let arguments = ["--format", "cef", "--out", &file, "--cursor", &cursor];
        scene.export(&arguments);
        let (kept, told) = (read_to_string(&file).unwrap(), read_to_string(&cursor).unwrap());
        scene.grow(3);
        let lines: Vec<&str> = told.lines().collect();
        let other = [
            (
                format!("{}\nelsewhere.example/log/1\n{}\n", lines[0], lines[2]),
                "has another log now",
            ),
            (
                format!("{}\n{}\n{}\n", lines[0], lines[1], "A".repeat(lines[2].len())),
                "is not the one that was exported",
            ),
        ];
        for (changed, words) in other {
            assert_ne!(changed, told);
            write(&cursor, changed).unwrap();
            let output = scene.try_export(&arguments);
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(1), "{said}");
            assert!(said.contains(words), "{said}");
            assert_eq!(read_to_string(&file).unwrap(), kept);
        }
        write(&cursor, told).unwrap();
        scene.export(&arguments);
        each_once(&[&file]);
    });
}

/// What another program cut off while it copied the file stands nowhere.
#[tokio::test(flavor = "multi_thread")]
async fn a_follower_of_a_file_that_is_truncated_stops() {
    let scene = scene().await;
    tokio::task::block_in_place(|| {
        let file = scene.path("siem");
        let mut follower = Follower::start(&scene, &["--format", "native", "--out", &file]);
        until("the first lines", || !indexes(&file).is_empty());
        std::fs::File::options()
            .write(true)
            .open(&file)
            .unwrap()
            .set_len(0)
            .unwrap();
        scene.grow(3);
        follower.says("became shorter than what was written");
        assert_eq!(follower.process.wait().unwrap().code(), Some(1));
    });
}

/// Two copies of one log that went apart: without a cursor, the file's own last line tells them from each other.
#[tokio::test(flavor = "multi_thread")]
async fn lines_of_one_log_are_not_continued_with_those_of_another() {
    let scene = scene().await;
    tokio::task::block_in_place(|| {
        let native = String::from_utf8(scene.export(&["--format", "native"]).stdout).unwrap();
        let hash = |line: &str| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            line["leaf_hash"].as_str().unwrap().to_owned()
        };
        let [first, second] = [0, 1].map(|at| hash(native.lines().nth(at).unwrap()));
        for format in ["native", "ocsf", "syslog", "cef"] {
            let [file, cursor] = ["lines", "cursor"].map(|name| scene.path(&format!("{format}-{name}")));
            let whole = String::from_utf8(scene.export(&["--format", format]).stdout).unwrap();
            let two: String = whole.lines().take(2).map(|line| format!("{line}\n")).collect();
            let escaped = |hash: &str| {
                if format == "cef" {
                    hash.replace('=', "\\=")
                } else {
                    hash.to_owned()
                }
            };
            let forked = two.replace(&escaped(&second), &escaped(&first));
            assert_ne!(forked, two);
            let arguments = ["--format", format, "--out", &file];
            // A cursor that is behind the file does not speak for it.
            write(&cursor, "1").unwrap();
            for more in [&[][..], &["--from", "5"], &["--cursor", &cursor]] {
                write(&file, &forked).unwrap();
                let output = scene.try_export(&[&arguments, more].concat());
                let said = String::from_utf8_lossy(&output.stderr);
                assert_eq!(output.status.code(), Some(1), "{format} {more:?}: {said}");
                assert!(said.contains("is not the one that was exported"), "{said}");
                assert_eq!(read_to_string(&file).unwrap(), forked);
            }
            write(&file, &two).unwrap();
            scene.export(&arguments);
            assert!(read_to_string(&file).unwrap().starts_with(&whole), "{format}");
        }
    });
}
