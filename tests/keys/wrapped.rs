//! Wrapped keys: a change of any byte is refused, each time.

use rusqlite::{Connection, params};

use crate::support::{World, caller};

#[tokio::test]
async fn any_byte_of_a_wrapped_record_key() {
    let (world, app) = World::new().await;
    let (no, reference) = world.ticket_at(&app, "C1", caller("王小明", "13900001111")).await;
    let keys = Connection::open(&world.places.keys).unwrap();
    let sql = "SELECT wrapped FROM record_key WHERE record_kind = 'caller'";
    let wrapped: Vec<u8> = keys.query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(wrapped.len(), 62);
    let put = |bytes: &[u8]| {
        let sql = "UPDATE record_key SET wrapped = ?1 WHERE record_kind = 'caller'";
        assert_eq!(keys.execute(sql, [bytes]).unwrap(), 1);
    };
    for at in 0..wrapped.len() {
        let mut bad = wrapped.clone();
        bad[at] ^= 1;
        put(&bad);
        let answer = world.reveal(&app, "handler-c1", &reference, &no, "clear").await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (500, "integrity"),
            "byte {at}: {}",
            answer.text
        );
    }
    put(&wrapped);
    let right = world.reveal(&app, "handler-c1", &reference, &no, "clear").await;
    assert_eq!(right.status, 200, "{}", right.text);
}

#[tokio::test]
async fn any_byte_of_a_key_of_the_keyring() {
    let (world, app) = World::new().await;
    drop(app);
    let keys = Connection::open(&world.places.keys).unwrap();
    let mut statement = keys.prepare("SELECT role, wrapped FROM keyring").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    let rows: Vec<(String, Vec<u8>)> = rows.map(Result::unwrap).collect();
    assert_eq!(rows.len(), 5, "one of each role");
    let put = |role: &str, bytes: &[u8]| {
        let sql = "UPDATE keyring SET wrapped = ?2 WHERE role = ?1";
        assert_eq!(keys.execute(sql, params![role, bytes]).unwrap(), 1);
    };
    for (role, wrapped) in &rows {
        // Unlocking is slow by design: every byte of one, and of the others the first of each part.
        let every: Vec<usize> = (0..wrapped.len()).collect();
        let places: &[usize] = if role == "kek" { &every } else { &[0, 1, 2, 14, 46] };
        for &at in places {
            let mut bad = wrapped.clone();
            bad[at] ^= 1;
            put(role, &bad);
            let error = world.try_open().await.err();
            let error = error.unwrap_or_else(|| panic!("{role} with byte {at} changed was used"));
            assert!(
                error.to_string().contains("does not open where it stands"),
                "{role} {at}: {error}"
            );
        }
        put(role, wrapped);
    }
    assert!(world.try_open().await.is_ok(), "the right ones open");
}
