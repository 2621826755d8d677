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
}
