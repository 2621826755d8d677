//! Rows that decide: each column of each table is under the row's code.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use callervault::http::App;
use callervault::keyring::Keyring;
use callervault::model::ids::RecordKind;
use callervault::model::principals::Role;
use callervault::model::reference::{DepartmentCode, Reference};
use callervault::model::ticket_no::TicketNo;
use callervault::store::rows::{
    ApprovalRow, ArchiveRow, BlindIndexRow, CallbackRow, CallerRow, Cell, ClosedRow, Coded, Columns, ContactRow,
    CustodyRow, DATA, DeclaredRow, DepartmentRow, DestroyedKeyRow, ErasedRow, FromColumns, HoldRow, JoinedRow, KEYS,
    KeyVersionRow, PrincipalRow, Protected, RecoveryRow, ReplayRow, RestrictionRow, RetentionRow, RewrapRow, SpentRow,
    TallyRow, TicketCountRow, TicketRow, TokenCodeRow, TokenDayRow, TokenRow, TransferRow,
};
use callervault::store::{Result, StoreError};
use callervault::vault::life::recover::Recovery;

use crate::audit::retention::{drop_below, later};
use serde_json::json;

use crate::keys::destroyed::destroyed;
use crate::keys::rewrap::rewrapped;
use crate::keys::rotation::rotated;
use crate::support::approvals::{merge, person, resolve};
use crate::support::rows::Store;
use crate::support::{NAME, NUMBER, Request, World, caller, intake};
use crate::tickets::callbacks::to_be_asked;

/// One stored row, column by column.
struct Taken(VecDeque<Cell>);

impl Columns for Taken {
    fn take(&mut self) -> Result<Cell> {
        self.0.pop_front().ok_or(StoreError::Corrupt("a test"))
    }
}

/// A vault with a row in every table that carries codes.
pub(crate) async fn world() -> World {
    let (mut world, app, _) = later(1100).await;
    let clerk = person("callback", Role::Callback);
    world.hire(&app.vault().unwrap(), "security-admin", clerk).await;
    drop_below(&world, &app, 256).await.is(200);
    let asked = to_be_asked(&world, &app).await;
    let results = json!({"valid": "yes", "contacted": "yes", "solved": "no", "satisfied": "satisfied"});
    let clerk = world.actor(&app, "callback");
    clerk
        .step(&asked.no, "callback", json!({"results": results}))
        .await
        .is(200);
    let [agent, auditor, dpo] = world.actors(&app, ["agent", "auditor", "dpo"]);
    let call = Request::post("/v1/intake", &intake(caller("李四光", "13700002222")));
    agent.send(call.once("one")).await.is(201);
    let found = auditor.get("/v1/audit/events?act=intake").await;
    let subject = found.at("/entries/0/leaf/subject");
    app.vault().unwrap().note_unlock("test").await.unwrap();
    dpo.ask(&resolve(&subject)).await;
    let recovery = Recovery {
        account: "security-admin",
        two: None,
        reason: "a test",
        delay: None,
    };
    app.vault().unwrap().start_recovery(&recovery).await.unwrap();
    let known = agent.take(caller(NAME, NUMBER)).await;
    let other = agent.take(json!({"caller_number": NUMBER})).await;
    agent.with(auditor, &merge(&known, &other)).await.is(200);
    let rotate = Request::post("/v1/keys/rotate", &json!({"role": "log"}));
    let system = world.actor(&app, "system-admin");
    system.with(auditor, &rotate).await.is(200);
    let reference = world.officers_reference(&app, &subject).await;
    let hold = json!({"reason": "court 7", "review": "2027-05-31"});
    dpo.post(format!("/v1/callers/{reference}/holds"), &hold).await.is(201);
    let restrict = json!({"reason": "contested"});
    dpo.post(format!("/v1/callers/{reference}/restrict"), &restrict)
        .await
        .is(200);
    let gone = world.case_of(&app, "C1", caller("赵六一", "13600003333")).await;
    let (_, reference) = world.closed_case(&app, &gone).await;
    world.erased(&app, &reference).await;
    let kept = world.case_of(&app, "C1", caller("周七巧", "13600004444")).await;
    world.ended(&app, &kept.no).await;
    let periods = dpo.get("/v1/retention/preview").await.is(200).at("/periods");
    let enforce = json!({"periods": periods, "most": 7});
    let enforce = Request::post("/v1/retention/enforce", &enforce).header("approval-reason", "decree");
    dpo.with(auditor, &enforce).await.is(200);
    rotated(&world, &app, "kek").await.is(200);
    rewrapped(&world, &app, "kek").await;
    destroyed(&world, &app, "kek", 1).await.is(200);
    handed_on(&world, &app).await;
    let code = Request::post(format!("{}/codes", world.account("handler-w2")), &json!({}));
    world.actor(&app, "security-admin").send(code).await.is(201);
    world
}

/// A reference goes to another department, and a number to a relay, once they ask.
async fn handed_on(world: &World, app: &Arc<App>) {
    let translated = world.case_of(app, "C1", caller("吴八宝", "13600005555")).await;
    let transfer =
        json!({"ref": translated.reference, "to_department": "W2", "ticket": translated.no, "purpose": "handle"});
    let handler = world.actor(app, "handler-c1");
    handler.post("/v1/references/translate", &transfer).await.is(201);
    let contact = json!({"ticket": translated.no, "purpose": "handle"});
    let path = format!("/v1/callers/{}/contact", translated.reference);
    handler.post(path, &contact).await.is(201);
}

/// Other values that a column of this kind may have.
fn others(cell: &Cell) -> Vec<Cell> {
    const WORDS: &[&str] = &[
        "organ",
        "enterprise",
        "person",
        "service",
        "agent",
        "handler",
        "W2",
        "C1",
        "accepted",
        "signed",
        "closed",
        "phone",
        "web",
        "help",
        "complaint",
        "normal",
        "urgent",
        "yes",
        "no",
        "fairly",
        "intake",
        "field.reveal",
        "asked",
        "answered",
        "busy",
        "guess",
        "caller",
        "ticket",
        "1=1",
        "used",
        "index",
        "{\"a\":\"b\"}",
    ];
    let words = || {
        let reference = Reference::new(DepartmentCode::AUDITORS, RecordKind::Caller, 1, 7).unwrap();
        let no = TicketNo::new(123_456_789_012).unwrap();
        let words = WORDS.iter().map(|word| (*word).to_owned());
        words.chain([reference.to_string(), no.to_string()]).map(Cell::Text)
    };
    match cell {
        Cell::Null => words().chain([Cell::Int(1), Cell::Bytes(vec![7; 16])]).collect(),
        Cell::Int(number) => vec![Cell::Int(number ^ 1)],
        Cell::Text(_) => words().filter(|word| word != cell).collect(),
        Cell::Bytes(bytes) => {
            let mut other = bytes.clone();
            *other.last_mut().unwrap() ^= 1;
            vec![Cell::Bytes(other)]
        }
    }
}

fn each_column<R: Protected>(keyring: &Keyring, data: &Store) -> &'static str {
    let table = R::table();
    let row = data.rows(table.name).cells(&table.list(""));
    let genuine = |cells: Vec<Cell>| {
        let coded = Coded::<R>::from_columns(&mut Taken(cells.into())).ok()?;
        Some(keyring.genuine(coded).is_ok())
    };
    assert_eq!(genuine(row.clone()), Some(true), "{} as the vault wrote it", table.name);
    // The code itself is a column; where the leaf is it does not cover.
    let columns = table.columns.iter().copied().chain(["mac"]);
    for (at, column) in columns.enumerate() {
        let edited = others(&row[at]).into_iter().filter_map(|cell| {
            let mut cells = row.clone();
            cells[at] = cell;
            genuine(cells)
        });
        let edited: Vec<bool> = edited.collect();
        assert!(
            !edited.is_empty(),
            "{}.{column}: no other value is readable",
            table.name
        );
        assert!(!edited.contains(&true), "{}.{column} is not under the code", table.name);
    }
    table.name
}

#[tokio::test]
async fn every_column_is_under_its_rows_code() {
    let world = world().await;
    let keyring = world.keyring().await;
    let data = world.data();
    let tried = [
        each_column::<DepartmentRow>(&keyring, &data),
        each_column::<PrincipalRow>(&keyring, &data),
        each_column::<TokenRow>(&keyring, &data),
        each_column::<TokenDayRow>(&keyring, &data),
        each_column::<TokenCodeRow>(&keyring, &data),
        each_column::<CallerRow>(&keyring, &data),
        each_column::<JoinedRow>(&keyring, &data),
        each_column::<BlindIndexRow>(&keyring, &data),
        each_column::<TicketRow>(&keyring, &data),
        each_column::<TransferRow>(&keyring, &data),
        each_column::<ContactRow>(&keyring, &data),
        each_column::<TicketCountRow>(&keyring, &data),
        each_column::<CustodyRow>(&keyring, &data),
        each_column::<CallbackRow>(&keyring, &data),
        each_column::<ReplayRow>(&keyring, &data),
        each_column::<DeclaredRow>(&keyring, &data),
        each_column::<SpentRow>(&keyring, &data),
        each_column::<ApprovalRow>(&keyring, &data),
        each_column::<ArchiveRow>(&keyring, &data),
        each_column::<KeyVersionRow>(&keyring, &data),
        each_column::<ErasedRow>(&keyring, &data),
        each_column::<HoldRow>(&keyring, &data),
        each_column::<RestrictionRow>(&keyring, &data),
        each_column::<TallyRow>(&keyring, &data),
        each_column::<ClosedRow>(&keyring, &data),
        each_column::<RetentionRow>(&keyring, &data),
        each_column::<RecoveryRow>(&keyring, &data),
        each_column::<DestroyedKeyRow>(&keyring, &data),
        each_column::<RewrapRow>(&keyring, &data),
    ];
    let coded = DATA.iter().map(|table| table()).filter(|table| table.coded);
    let coded: BTreeSet<&str> = coded.map(|table| table.name).collect();
    assert_eq!(BTreeSet::from(tried), coded, "every table that carries codes");
}

/// A declaration names the columns of the migrations, and no others.
#[tokio::test]
async fn tables_are_as_they_are_declared() {
    let world = world().await;
    for (store, tables) in [(world.data(), DATA), (world.keys(), KEYS)] {
        for table in tables.iter().map(|table| table()) {
            let mut there = BTreeSet::from_iter(store.columns(table.name));
            if table.name == "unlock" {
                there.remove("id");
            }
            let listed = table.list("");
            let declared: BTreeSet<String> = listed.split(", ").map(str::to_owned).collect();
            assert_eq!(there, declared, "{}", table.name);
        }
    }
}

/// An edited row is found whoever asks for it or does not: `fsck` goes through every table that carries codes.
#[tokio::test]
async fn fsck_finds_an_edited_row_of_every_table() {
    let world = world().await;
    assert_eq!(world.fsck().await, []);
    let sound = std::fs::read(&world.places.data).unwrap();
    for table in DATA.iter().map(|table| table()).filter(|table| table.coded) {
        let (name, key) = (table.name, table.columns[0]);
        let data = world.data();
        let first = data.rows(name).cells(key).swap_remove(0);
        data.rows(name).of(key, first).set("mac", [0; 17]);
        drop(data);
        assert!(!world.fsck().await.is_empty(), "fsck passes over {name}");
        std::fs::write(&world.places.data, &sound).unwrap();
    }
    assert_eq!(world.fsck().await, []);
}
