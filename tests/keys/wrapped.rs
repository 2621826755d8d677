//! Wrapped keys: a change of any byte is refused, each time.

use crate::support::World;

#[tokio::test]
pub(crate) async fn any_byte_of_a_wrapped_record_key() {
    let (world, app) = World::new().await;
    let case = world.case(&app, "C1").await;
    let handler = world.actor(&app, "handler-c1");
    let keys = world.keys();
    let key = keys.rows("record_key").of("record_kind", "caller");
    let wrapped: Vec<u8> = key.first("wrapped");
    assert_eq!(wrapped.len(), 62);
    for at in 0..wrapped.len() {
        let mut bad = wrapped.clone();
        bad[at] ^= 1;
        assert_eq!(key.set("wrapped", &*bad), 1);
        let answer = handler.reveal(&case).clear().await;
        let told = (answer.status, answer.problem());
        assert_eq!(told, (500, "integrity".to_owned()), "byte {at}: {}", answer.text);
    }
    key.set("wrapped", &*wrapped);
    handler.reveal(&case).clear().await.is(200);
}

#[tokio::test]
async fn any_byte_of_a_key_of_the_keyring() {
    let world = World::closed().await;
    let keys = world.keys();
    let rows: Vec<(String, Vec<u8>)> = keys.rows("keyring").read(["role", "wrapped"]);
    assert_eq!(rows.len(), 5, "one of each role");
    let put = |role: &str, bytes: &[u8]| {
        assert_eq!(keys.rows("keyring").of("role", role).set("wrapped", bytes), 1);
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
            // The first byte is the suite. With another suite that there is, it does not open either: `keys::suites`.
            let words = match at {
                0 => "which this program does not know",
                _ => "does not open where it stands",
            };
            assert!(error.to_string().contains(words), "{role} {at}: {error}");
        }
        put(role, wrapped);
    }
    assert!(world.try_open().await.is_ok(), "the right ones open");
}
