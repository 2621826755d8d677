//! Who has called before: values that are written in another way, that only may mean the same person, or that name nobody.

use serde_json::{Value, json};

use crate::support::{Actor, NUMBER, World};

/// What the agent is told of a caller who is taken in.
async fn told(agent: Actor<'_>, caller: Value) -> Value {
    agent.intake(caller).await.is(201).json()["caller"].clone()
}

/// The number of entries that blind indexes have.
fn entries(world: &World) -> usize {
    world.data().rows("blind_index").count()
}

#[tokio::test]
async fn an_extension_leads_to_its_bare_number_as_a_hint() {
    let (world, app) = World::new().await;
    let agent = world.actor(&app, "agent");
    let stated = json!({"callback_number": "0571-85123456转801", "name": "孙一一"});
    let reference = &told(agent, stated).await["ref"];
    // The switchboard shows no extension; another extension may be another desk of the same person.
    for next in [
        json!({"caller_number": "057185123456", "name": "孙一一"}),
        json!({"callback_number": "0571-85123456转802", "name": "孙一一"}),
    ] {
        let told = told(agent, next).await;
        assert_eq!(told["matched"], "tentative", "{told}");
        assert!(told["candidates"].as_array().unwrap().contains(reference), "{told}");
    }
    // Somebody of another name behind the same switchboard is counted and not named.
    let other = told(agent, json!({"caller_number": "057185123456", "name": "钱二二"})).await;
    assert_eq!(other["matched"], "tentative", "{other}");
    assert_eq!(other["candidates"], Value::Null, "{other}");
    assert_eq!(other["more_candidates"], true, "{other}");
    // The same extension is the same number.
    let again = json!({"callback_number": "0571-85123456-801", "name": "孙一一"});
    let again = told(agent, again).await;
    assert_eq!(again["matched"], "certain", "{again}");
    assert_eq!(&again["ref"], reference);
    drop(app);
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn the_entry_of_a_bare_number_goes_with_the_extension() {
    let (world, app) = World::new().await;
    let stated = json!({"callback_number": "0571-85123456转801", "id_no": "110108204107057338"});
    let agent = world.actor(&app, "agent");
    agent.take(stated).await;
    assert_eq!(entries(&world), 3, "the number, its switchboard's, the ID number");
    let bare = json!({"callback_number": "0571-85123456", "id_no": "110108204107057338"});
    let told = told(agent, bare).await;
    assert_eq!(told["matched"], "certain", "{told}");
    assert_eq!(entries(&world), 2);
    drop(app);
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn an_entry_of_a_bare_number_that_is_gone_is_found() {
    let (world, app) = World::new().await;
    let stated = json!({"callback_number": "0571-85123456转801"});
    world.actor(&app, "agent").take(stated).await;
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
async fn matched(agent: Actor<'_>, number: &str, on_file: &str, stated: &str) -> String {
    agent.take(json!({"callback_number": number, "name": on_file})).await;
    let told = told(agent, json!({"caller_number": number, "name": stated})).await;
    told["matched"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_name_that_is_written_in_another_way_is_the_same_name() {
    let (world, app) = World::unlimited().await;
    let agent = world.actor(&app, "agent");
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
        let matched = matched(agent, &number, on_file, stated).await;
        assert_eq!(matched, "certain", "{on_file} {stated}");
    }
    let other = matched(agent, "13911112222", "John Smith", "Joan Smith").await;
    assert_eq!(other, "tentative");
    drop(app);
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn words_that_name_nobody_corroborate_nothing() {
    let (world, app) = World::unlimited().await;
    let agent = world.actor(&app, "agent");
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
        let stated = json!({"callback_number": number, "name": word});
        let again = json!({"callback_number": number, "name": word, "home_address": "海淀区 1号"});
        let (first, second) = (told(agent, stated).await, told(agent, again).await);
        assert_eq!(second["matched"], "tentative", "{word}: {second}");
        assert_ne!(second["ref"], first["ref"], "{word}");
        assert_eq!(second["candidates"], Value::Null, "{word}: nobody is named");
    }
    drop(app);
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn a_word_that_names_nobody_takes_no_names_place() {
    let (world, app) = World::new().await;
    let agent = world.actor(&app, "agent");
    let id_no = "110108204107057338";
    let stated = json!({"callback_number": NUMBER, "name": "孙一一", "id_no": id_no});
    agent.take(stated).await;
    for again in [
        json!({"name": "匿名", "id_no": id_no}),
        // The name on file still corroborates.
        json!({"caller_number": NUMBER, "name": "孙一一"}),
    ] {
        let told = told(agent, again).await;
        assert_eq!(told["matched"], "certain", "{told}");
    }
}

#[tokio::test]
async fn accounts_are_compared_in_one_form() {
    let (world, app) = World::unlimited().await;
    let person = json!({"name": "王小明", "callback_number": "+44 020 7946 0958", "email": "User@BÜCHER.example", "wechat": "_ZhangSan8"});
    let case = world.case_of(&app, "C1", person).await;
    let handler = world.actor(&app, "handler-c1");
    let verify = async |field: &str, value: &str| {
        let answer = handler.verify(&case, field, value).await.is(200);
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
    let shown = handler.reveal(&case).fields(&["email", "wechat"]).clear().await;
    let kept = json!({"email": "User@bücher.example", "wechat": "_ZhangSan8"});
    assert_eq!(shown.json()["fields"], kept, "{}", shown.text);
}
