//! A department gives a ticket back to the centre.

use std::sync::Arc;

use callervault::http::App;
use serde_json::{Value, json};

use crate::support::{Answer, World, caller, intake};

const WHY: &str = "不属于本单位职责";

/// A ticket that a department holds, and what people do with it.
struct Case {
    world: World,
    app: Arc<App>,
    no: String,
}

impl Case {
    /// Taken by the agent, and sent to a department.
    async fn at(department: &str, kind: &str) -> Self {
        let (world, app) = World::new().await;
        let mut body = intake(caller("王小明", "13900001111"));
        body["ticket"]["kind"] = json!(kind);
        let taken = world.post(&app, "agent", "/v1/intake", &body).await;
        let no = taken.at("/ticket/no");
        let case = Self { world, app, no };
        case.done(
            "dispatcher",
            "dispatch",
            json!({"department": department, "reason": "请核查"}),
        )
        .await;
        case
    }

    async fn step(&self, who: &str, word: &str, body: Value) -> Answer {
        let path = format!("/v1/tickets/{}/{word}", self.no);
        self.world.post(&self.app, who, &path, &body).await
    }

    async fn done(&self, who: &str, word: &str, body: Value) -> Answer {
        let answer = self.step(who, word, body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer
    }

    async fn returned(&self, who: &str) -> Answer {
        self.step(who, "return", json!({"reason": WHY})).await
    }

    async fn read(&self, who: &str, purpose: &str) -> Answer {
        let path = format!("/v1/tickets/{}?purpose={purpose}", self.no);
        self.world.get(&self.app, who, &path).await
    }

    /// A field of the ticket itself, in clear.
    async fn own_field(&self, who: &str, purpose: &str, field: &str) -> Answer {
        let body = json!({"purpose": purpose, "fields": [field], "form": "clear"});
        self.step(who, "reveal", body).await
    }

    /// Nothing is wrong with what was written.
    async fn is_sound(self) {
        drop(self.app);
        assert_eq!(self.world.fsck().await, []);
    }

    /// The newest entry of the log for an act.
    async fn logged(&self, act: &str) -> Value {
        let path = format!("/v1/audit/events?act={act}&limit=1");
        let found = self.world.get(&self.app, "auditor", &path).await;
        found.json()["entries"][0]["leaf"].clone()
    }
}

#[tokio::test]
async fn it_is_the_centres_again_and_can_be_sent_elsewhere() {
    let case = Case::at("C1", "complaint").await;
    let reference = case.read("handler-c1", "handle").await.at("/caller/ref");
    let answer = case.returned("handler-c1").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let mut said = answer.json();
    said.as_object_mut().unwrap().remove("audit");
    let expected = json!({"no": case.no, "state": "accepted", "holder": "H0", "version": 3});
    assert_eq!(said, expected, "nothing of the caller");

    // The department has lost it, and what it had for its sake.
    assert_eq!(case.read("handler-c1", "handle").await.status, 403);
    let shown = case
        .world
        .reveal(&case.app, "handler-c1", &reference, &case.no, "masked");
    assert_eq!(shown.await.status, 403);
    assert_eq!(case.returned("handler-c1").await.status, 403, "once");

    // The centre sees who had it, and why it came back.
    let page = case.read("dispatcher", "dispatch").await.json();
    let custody: Vec<(&str, &str)> = page["custody"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| (step["state"].as_str().unwrap(), step["holder"].as_str().unwrap()))
        .collect();
    assert_eq!(custody, [("accepted", "H0"), ("dispatched", "C1"), ("accepted", "H0")]);
    let why = case.own_field("dispatcher", "dispatch", "return_reason").await;
    assert_eq!(why.at("/fields/return_reason"), WHY);
    case.done("dispatcher", "dispatch", json!({"department": "W2", "reason": "改派"}))
        .await;
    assert_eq!(case.read("handler-w2", "handle").await.status, 200);
    case.is_sound().await;
}

#[tokio::test]
async fn by_the_department_that_holds_it_alone() {
    for (department, handler) in [("C1", "handler-c1"), ("E4", "handler-e4")] {
        let case = Case::at(department, "complaint").await;
        for who in ["handler-w2", "agent", "dispatcher"] {
            let answer = case.returned(who).await;
            assert_eq!((answer.status, answer.problem().as_str()), (403, "refused"), "{who}");
        }
        let named = json!({"reason": WHY, "department": "W2"});
        let answer = case.step(handler, "return", named).await;
        assert_eq!((answer.status, answer.problem().as_str()), (422, "no-department-here"));
        assert_eq!(case.returned(handler).await.status, 200);
        let leaf = case.logged("ticket.return").await;
        assert_eq!((&leaf["out"], &leaf["dept"]), (&json!("granted"), &json!(department)));
    }
    let case = Case::at("C1", "complaint").await;
    case.done("handler-c1", "close", json!({"reason": "完成"})).await;
    assert_eq!(
        case.returned("handler-c1").await.status,
        403,
        "a closed one stays closed"
    );
}

/// The agent has heard the caller; what was shown of a live call is not shown of a ticket that has been elsewhere.
#[tokio::test]
async fn a_ticket_that_came_back_is_nobodys_own_call() {
    let (world, app) = World::new().await;
    let taken = world
        .post(&app, "agent", "/v1/intake", &intake(caller("王小明", "13900001111")))
        .await;
    let (no, reference) = (taken.at("/ticket/no"), taken.at("/caller/ref"));
    let case = Case { world, app, no };
    let shown = async |form: &str| {
        let body = json!({"ticket": case.no, "purpose": "intake", "fields": ["callback_number"], "form": form});
        let path = format!("/v1/callers/{reference}/reveal");
        case.world.post(&case.app, "agent", &path, &body).await.status
    };
    assert_eq!(shown("clear").await, 200);
    case.done(
        "dispatcher",
        "dispatch",
        json!({"department": "C1", "reason": "请核查"}),
    )
    .await;
    assert_eq!(case.returned("handler-c1").await.status, 200);
    assert_eq!((shown("clear").await, shown("masked").await), (403, 200));
}

/// Neither the answer, nor what the dispatcher sees afterwards, names the caller of a confidential ticket.
#[tokio::test]
async fn a_report_comes_back_without_its_caller() {
    let case = Case::at("C1", "report").await;
    let answer = case.returned("handler-c1").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.json().get("caller"), None);
    let page = case.read("dispatcher", "dispatch").await;
    assert_eq!((page.status, page.json().get("caller")), (200, None));
    case.is_sound().await;
}
