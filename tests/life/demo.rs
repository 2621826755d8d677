//! The demo's tour, as a process.

use std::net::TcpListener;

use crate::support::process::run;

#[test]
fn the_tour_needs_no_particular_port() {
    // Whoever has it, this test or another program: it is taken.
    let _taken = TcpListener::bind("127.0.0.1:8440");
    let output = run(&["demo", "--once"]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(said.contains("8  the log has"), "{said}");
    assert!(said.contains("callervault/erasure/1"), "its last step: {said}");
}

#[test]
fn nothing_is_made_where_the_address_is_taken() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let place = tempfile::tempdir().unwrap();
    let vault = place.path().join("vault");
    let output = run(&["demo", "--dir", vault.to_str().unwrap(), "--listen", &address]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("choose another address"), "{said}");
    assert!(!vault.exists());
}
