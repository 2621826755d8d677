//! Who has called before: values that are written in another way, that only may mean the same person, or that name nobody.

use std::sync::Arc;

use callervault::http::App;
use serde_json::{Value, json};

use crate::support::{World, intake};

async fn taken(world: &World, app: &Arc<App>, caller: Value) -> Value {
    let answer = world.post(app, "agent", "/v1/intake", &intake(caller)).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.json()
}

/// The number of entries that blind indexes have.
fn entries(world: &World) -> usize {
    world.data().rows("blind_index").count()
}

#[tokio::test]
async fn an_extension_leads_to_its_bare_number_as_a_hint() {
    let (world, app) = World::new().await;
    let first = taken(
        &world,
        &app,
        json!({"callback_number": "0571-85123456转801", "name": "孙一一"}),
    )
    .await;
    let reference = &first["caller"]["ref"];
    // The switchboard shows no extension; another extension may be another desk of the same person.
    for next in [
        json!({"caller_number": "057185123456", "name": "孙一一"}),
        json!({"callback_number": "0571-85123456转802", "name": "孙一一"}),
    ] {
        let told = taken(&world, &app, next).await;
        assert_eq!(told["caller"]["matched"], "tentative", "{told}");
        assert!(
            told["caller"]["candidates"].as_array().unwrap().contains(reference),
            "{told}"
        );
    }
    // Somebody of another name behind the same switchboard is counted and not named.
    let other = taken(&world, &app, json!({"caller_number": "057185123456", "name": "钱二二"})).await;
    assert_eq!(other["caller"]["matched"], "tentative", "{other}");
    assert_eq!(other["caller"]["candidates"], Value::Null, "{other}");
    assert_eq!(other["caller"]["more_candidates"], true, "{other}");
    // The same extension is the same number.
    let again = taken(
        &world,
        &app,
        json!({"callback_number": "0571-85123456-801", "name": "孙一一"}),
    )
    .await;
    assert_eq!(again["caller"]["matched"], "certain", "{again}");
    assert_eq!(&again["caller"]["ref"], reference);
    drop(app);
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn the_entry_of_a_bare_number_goes_with_the_extension() {
    let (world, app) = World::new().await;
    let stated = json!({"callback_number": "0571-85123456转801", "id_no": "110108204107057338"});
    taken(&world, &app, stated).await;
    assert_eq!(entries(&world), 3, "the number, its switchboard's, the ID number");
    let told = taken(
        &world,
        &app,
        json!({"callback_number": "0571-85123456", "id_no": "110108204107057338"}),
    )
    .await;
    assert_eq!(told["caller"]["matched"], "certain", "{told}");
    assert_eq!(entries(&world), 2);
    drop(app);
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn an_entry_of_a_bare_number_that_is_gone_is_found() {
    let (world, app) = World::new().await;
    taken(&world, &app, json!({"callback_number": "0571-85123456转801"})).await;
    drop(app);
    let gone = world.data().rows("blind_index").of("idx", "phone.alike").delete();
    assert_eq!(gone, 1);
    let findings = world.fsck().await;
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(
        findings[0].what, "has another blind index than its value gives",
        "{findings:?}"
    );
}

/// What a second call is matched, from the same number under another name.
async fn matched(world: &World, app: &Arc<App>, number: &str, on_file: &str, stated: &str) -> String {
    taken(world, app, json!({"callback_number": number, "name": on_file})).await;
    let told = taken(world, app, json!({"caller_number": number, "name": stated})).await;
    told["caller"]["matched"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_name_that_is_written_in_another_way_is_the_same_name() {
    let (world, app) = World::unlimited().await;
    let pairs = [
        ("古丽米热·艾比布力", "古丽米热.艾比布力"),
        ("古丽米热·古丽", "古丽米热。古丽"),
        ("John Smith", "JOHN SMITH"),
        ("D´Angelo", "D'ANGELO"),
        ("刘\u{e863}", "刘䶮"),
        ("\u{200b}张三", "张三"),
        ("Mary-Ann O’Brien", "MARY ANN OBRIEN"),
    ];
    for (nth, (on_file, stated)) in pairs.into_iter().enumerate() {
        let number = format!("1390000{nth:04}");
        assert_eq!(
            matched(&world, &app, &number, on_file, stated).await,
            "certain",
            "{on_file} {stated}"
        );
    }
    assert_eq!(
        matched(&world, &app, "13911112222", "John Smith", "Joan Smith").await,
        "tentative"
    );
    drop(app);
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn words_that_name_nobody_corroborate_nothing() {
    let (world, app) = World::unlimited().await;
    let words = [
        "匿名",
        "不详",
        "先生",
        "王女士",
        "李",
        "anonymous",
        "Mr Smith",
        "热心市民",
        "欧阳先生",
        "老王",
    ];
    for (nth, word) in words.into_iter().enumerate() {
        let number = format!("010-6234{nth:04}");
        let first = taken(&world, &app, json!({"callback_number": number, "name": word})).await;
        let second = taken(
            &world,
            &app,
            json!({"callback_number": number, "name": word, "home_address": "海淀区 1号"}),
        )
        .await;
        assert_eq!(second["caller"]["matched"], "tentative", "{word}: {second}");
        assert_ne!(second["caller"]["ref"], first["caller"]["ref"], "{word}");
        assert_eq!(second["caller"]["candidates"], Value::Null, "{word}: nobody is named");
    }
    drop(app);
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn a_word_that_names_nobody_takes_no_names_place() {
    let (world, app) = World::new().await;
    let id_no = "110108204107057338";
    taken(
        &world,
        &app,
        json!({"callback_number": "13900001111", "name": "孙一一", "id_no": id_no}),
    )
    .await;
    let told = taken(&world, &app, json!({"name": "匿名", "id_no": id_no})).await;
    assert_eq!(told["caller"]["matched"], "certain", "{told}");
    // The name on file still corroborates.
    let told = taken(&world, &app, json!({"caller_number": "13900001111", "name": "孙一一"})).await;
    assert_eq!(told["caller"]["matched"], "certain", "{told}");
}

#[tokio::test]
async fn accounts_are_compared_in_one_form() {
    let (world, app) = World::unlimited().await;
    let person = json!({"name": "王小明", "callback_number": "+44 020 7946 0958", "email": "User@BÜCHER.example", "wechat": "_ZhangSan8"});
    let (no, reference) = world.ticket_at(&app, "C1", person).await;
    let verify = async |field: &str, value: &str| {
        let body = json!({"ticket": no, "purpose": "handle", "field": field, "value": value});
        let answer = world
            .post(&app, "handler-c1", &format!("/v1/callers/{reference}/verify"), &body)
            .await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["match"].as_bool().unwrap()
    };
    for (field, value) in [
        ("email", "user@bücher.example"),
        ("email", "USER@xn--bcher-kva.EXAMPLE"),
        ("email", "user@bücher。example"),
        ("wechat", "_zhangsan8"),
        ("callback_number", "+442079460958"),
        ("callback_number", "tel:+44-20-7946-0958"),
    ] {
        assert!(verify(field, value).await, "{field} {value}");
    }
    assert!(!verify("email", "user@bucher.example").await);
    // What is kept is what was written.
    let body = json!({"ticket": no, "purpose": "handle", "fields": ["email", "wechat"], "form": "clear"});
    let shown = world
        .post(&app, "handler-c1", &format!("/v1/callers/{reference}/reveal"), &body)
        .await;
    let kept = json!({"email": "User@bücher.example", "wechat": "_ZhangSan8"});
    assert_eq!(shown.json()["fields"], kept, "{}", shown.text);
}
