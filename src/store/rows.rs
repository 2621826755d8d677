//! The rows of both stores. Values that identify a caller are bytes somebody else has sealed.

use std::collections::BTreeMap;

use jiff::Timestamp;

pub use super::wrapped::{Fence, KeyringRow, UnlockRow, WrappedKey};
use crate::merkle::Hash;
use crate::model::approvals::ApprovalState;
use crate::model::ask::Action;
use crate::model::ids::{ApprovalId, CallerId, PrincipalId, RecordId, RecordKind, TicketId, TokenId};
use crate::model::principals::{DepartmentKind, PrincipalKind, Roles};
use crate::model::reference::{DepartmentCode, Reference};
use crate::model::ticket_no::TicketNo;
use crate::model::tickets::{Channel, MatterKind, TicketState};

/// A keyed authentication code over a row (first 16 bytes of HMAC-SHA-256), so that an edited row is noticed.
pub type Mac = [u8; 16];

/// A row that decides something and is not sealed: it carries a code over everything else in it.
pub trait Protected {
    /// The table, which is part of what the code covers.
    const TABLE: &'static str;

    /// Every column but the code, in a fixed order.
    fn columns(&self) -> Vec<Vec<u8>>;

    /// The code stored with the row.
    fn mac(&self) -> &Mac;

    /// The row with this code.
    #[must_use]
    fn with_mac(self, mac: Mac) -> Self;
}

macro_rules! protected {
    ($row:ident, $table:literal, |$self:ident| [$($column:expr),+ $(,)?]) => {
        impl Protected for $row {
            const TABLE: &'static str = $table;

            fn columns(&self) -> Vec<Vec<u8>> {
                let $self = self;
                vec![$($column.to_vec()),+]
            }

            fn mac(&self) -> &Mac {
                &self.mac
            }

            fn with_mac(mut self, mac: Mac) -> Self {
                self.mac = mac;
                self
            }
        }
    };
}

fn number(value: u64) -> [u8; 8] {
    value.to_be_bytes()
}

fn instant(at: Timestamp) -> [u8; 8] {
    at.as_millisecond().to_be_bytes()
}

fn optional_instant(at: Option<Timestamp>) -> Vec<u8> {
    at.map_or_else(Vec::new, |at| instant(at).to_vec())
}

/// Each word after its length, so that no two differ only in where one ends.
fn about(about: &About) -> Vec<u8> {
    let words = about.iter().flat_map(|(name, value)| [name, value]);
    let word = |word: &String| [&number(u64::try_from(word.len()).unwrap_or(u64::MAX)), word.as_bytes()].concat();
    words.flat_map(word).collect()
}

/// Which vault a store belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultRow {
    /// Random, the same in the data store and in its key store.
    pub vault: [u8; 16],
    /// The log's origin, which is part of every sealed value's associated data.
    pub origin: String,
}

/// A department.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DepartmentRow {
    /// Two characters, which begin its references.
    pub code: DepartmentCode,
    /// Its public name.
    pub name: String,
    /// Its legal class.
    pub kind: DepartmentKind,
    /// 1 when made, one more at each change.
    pub version: u64,
    /// Over all of the above.
    pub mac: Mac,
}
protected!(DepartmentRow, "department", |row| [
    row.code.as_bytes(),
    row.name.as_bytes(),
    row.kind.as_str().as_bytes(),
    number(row.version),
]);

/// A person or service account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrincipalRow {
    /// Random.
    pub id: PrincipalId,
    /// Account name, unique: an account, not a person's name.
    pub account: String,
    /// The one department.
    pub department: DepartmentCode,
    /// Person or program.
    pub kind: PrincipalKind,
    /// What it may act as.
    pub roles: Roles,
    /// An inactive principal cannot authenticate.
    pub active: bool,
    /// Who made it; nobody for the first administrators.
    pub created_by: Option<PrincipalId>,
    /// 1 when made, one more at each change.
    pub version: u64,
    /// Over all of the above.
    pub mac: Mac,
}
protected!(PrincipalRow, "principal", |row| [
    row.id.as_bytes(),
    row.account.as_bytes(),
    row.department.as_bytes(),
    row.kind.as_str().as_bytes(),
    row.roles.to_words().as_bytes(),
    [u8::from(row.active)],
    row.created_by.map_or_else(Vec::new, |id| id.as_bytes().to_vec()),
    number(row.version),
]);

/// An API token: 256 random bits of which only SHA-256 is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRow {
    /// The handle by which it is revoked.
    pub id: TokenId,
    /// SHA-256 of the secret.
    pub hash: [u8; 32],
    /// Whose it is.
    pub principal: PrincipalId,
    /// When it was issued.
    pub created_at: Timestamp,
    /// From when on it is refused, if ever.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
    /// Over all of the above.
    pub mac: Mac,
}
protected!(TokenRow, "api_token", |row| [
    row.id.as_bytes(),
    row.hash,
    row.principal.as_bytes(),
    instant(row.created_at),
    optional_instant(row.expires_at),
    optional_instant(row.revoked_at),
]);

/// A caller: nothing but an identity to hang sealed fields on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallerRow {
    /// Random.
    pub id: CallerId,
    /// When first heard.
    pub created_at: Timestamp,
    /// The names of the fields on file, in order: what is missing among the sealed fields was removed by somebody else.
    pub fields: Vec<String>,
    /// 1 when made, one more at each change of a field.
    pub version: u64,
    /// Over all of the above.
    pub mac: Mac,
}
protected!(CallerRow, "caller", |row| [
    row.id.as_bytes(),
    instant(row.created_at),
    row.fields.join(" ").as_bytes(),
    number(row.version)
]);

impl CallerRow {
    /// Adds names of fields to those on file.
    pub fn put_on_file<'n>(&mut self, names: impl IntoIterator<Item = &'n str>) {
        self.fields.extend(names.into_iter().map(str::to_owned));
        self.fields.sort_unstable();
        self.fields.dedup();
    }
}

/// A sealed field. Its own associated data names its place, so it needs no further code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldRow {
    /// Whose field.
    pub record: RecordId,
    /// Which field.
    pub field: String,
    /// `suite ‖ generation ‖ nonce ‖ ciphertext ‖ tag`.
    pub sealed: Vec<u8>,
}

/// One blind index entry: this caller's field has this keyed value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexRow {
    /// The index, which fields may share (both phone numbers use one).
    pub index: String,
    /// First 16 bytes of HMAC-SHA-256 of the normal form.
    pub value: [u8; 16],
    /// Whose.
    pub caller: CallerId,
    /// Which of the caller's fields.
    pub field: String,
    /// The field identifies one person for certain: no second caller may have this value.
    pub certain: bool,
    /// Over all of the above.
    pub mac: Mac,
}
protected!(IndexRow, "blind_index", |row| [
    row.index.as_bytes(),
    row.value,
    row.caller.as_bytes(),
    row.field.as_bytes(),
    [u8::from(row.certain)],
]);

/// A ticket's envelope: only what holds no person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketRow {
    /// Random.
    pub id: TicketId,
    /// What callers and departments call it.
    pub no: TicketNo,
    /// Whose.
    pub caller: CallerId,
    /// 诉求类型.
    pub kind: MatterKind,
    /// Category code.
    pub category: String,
    /// Place code.
    pub township: String,
    /// How it came in.
    pub channel: Channel,
    /// Where it stands.
    pub state: TicketState,
    /// Who holds it now.
    pub holder: DepartmentCode,
    /// The centre that took the call.
    pub origin: DepartmentCode,
    /// The agent who took it.
    pub taken_by: PrincipalId,
    /// Secrecy asked for, or the default of its kind.
    pub confidential: bool,
    /// When the call came in.
    pub received_at: Timestamp,
    /// When the vault took it.
    pub created_at: Timestamp,
    /// 1 when made, one more at each change.
    pub version: u64,
    /// Over all of the above.
    pub mac: Mac,
}
protected!(TicketRow, "ticket", |row| [
    row.id.as_bytes(),
    row.no.as_str().as_bytes(),
    row.caller.as_bytes(),
    row.kind.as_str().as_bytes(),
    row.category.as_bytes(),
    row.township.as_bytes(),
    row.channel.as_str().as_bytes(),
    row.state.as_str().as_bytes(),
    row.holder.as_bytes(),
    row.origin.as_bytes(),
    row.taken_by.as_bytes(),
    [u8::from(row.confidential)],
    instant(row.received_at),
    instant(row.created_at),
    number(row.version),
]);

/// One step in a ticket's custody: who handed it to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustodyRow {
    /// Which ticket.
    pub ticket: TicketId,
    /// The ticket's version after this step.
    pub version: u64,
    /// The state it came to.
    pub state: TicketState,
    /// The department that holds it from then on.
    pub holder: DepartmentCode,
    /// Who did it.
    pub actor: PrincipalId,
    /// When.
    pub at: Timestamp,
    /// Over all of the above.
    pub mac: Mac,
}
protected!(CustodyRow, "custody", |row| [
    row.ticket.as_bytes(),
    number(row.version),
    row.state.as_str().as_bytes(),
    row.holder.as_bytes(),
    row.actor.as_bytes(),
    instant(row.at),
]);

/// What a department's reference stands for. The record's id is sealed; the other columns are its associated data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferenceRow {
    /// Whose reference.
    pub department: DepartmentCode,
    /// Caller or ticket.
    pub kind: RecordKind,
    /// Version of the department's subkey.
    pub version: u8,
    /// 55 bits.
    pub body: u64,
    /// The record's id, sealed.
    pub sealed_id: Vec<u8>,
}

/// The answer once given to a write with an `Idempotency-Key`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayRow {
    /// Who wrote.
    pub principal: PrincipalId,
    /// The key, keyed (a client may have put anything into it).
    pub key: [u8; 16],
    /// The request, keyed.
    pub request: [u8; 16],
    /// The answer without its `audit` member, sealed: it names a ticket and a caller's references.
    pub answer: Vec<u8>,
    /// The request as the write's leaf names it, so that no other leaf can be put in its place.
    pub req: String,
    /// When.
    pub created_at: Timestamp,
    /// Over all of the above.
    pub mac: Mac,
}
protected!(ReplayRow, "replay", |row| [
    row.principal.as_bytes(),
    row.key,
    row.request,
    row.answer,
    row.req.as_bytes(),
    instant(row.created_at),
]);

/// What a request for approval is about, word by word: names of accounts and roles, numbers. No personal value.
pub type About = BTreeMap<String, String>;

/// A request that takes two persons: who asked for what, and who approved it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovalRow {
    /// Random.
    pub id: ApprovalId,
    /// What is asked.
    pub action: Action,
    /// The subject of the log it is about, if any.
    pub subject: Option<Reference>,
    /// What would be done, for whoever decides on it.
    pub about: About,
    /// The exact request (method, path, `If-Match`, body), keyed.
    pub request: [u8; 16],
    /// Who asked.
    pub asker: PrincipalId,
    /// Who decided on it.
    pub approver: Option<PrincipalId>,
    /// Where it stands.
    pub state: ApprovalState,
    /// When it was asked.
    pub created_at: Timestamp,
    /// From when on it is worth nothing.
    pub expires_at: Timestamp,
    /// 1 when made, one more at each step.
    pub version: u64,
    /// Over all of the above.
    pub mac: Mac,
}
protected!(ApprovalRow, "approval", |row| [
    row.id.as_bytes(),
    row.action.as_str().as_bytes(),
    row.subject
        .map_or_else(String::new, |subject| subject.to_string())
        .as_bytes(),
    about(&row.about),
    row.request,
    row.asker.as_bytes(),
    row.approver.map_or_else(Vec::new, |id| id.as_bytes().to_vec()),
    row.state.as_str().as_bytes(),
    instant(row.created_at),
    instant(row.expires_at),
    number(row.version),
]);

/// A log that another has followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastLogRow {
    /// The how-manieth it was, from 1.
    pub n: u64,
    /// Number of entries.
    pub size: u64,
    /// Root over them.
    pub root: Hash,
    /// Its last signed checkpoint.
    pub checkpoint: String,
}

/// A replay and the entry of the log it points at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// The answer.
    pub row: ReplayRow,
    /// Where the row says the write's leaf is, in the log in force or in one before it.
    pub index: u64,
}

/// The log's head: everything needed to append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeadRow {
    /// Number of entries.
    pub size: u64,
    /// Root over them (RFC 6962 §2.1).
    pub root: Hash,
    /// The compact range: one hash per set bit of `size`.
    pub frontier: Vec<u8>,
    /// The newest signed checkpoint.
    pub checkpoint: String,
}

/// One entry of the log: the bytes that were hashed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryRow {
    /// Position from 0.
    pub index: u64,
    /// The leaf, byte for byte.
    pub body: Vec<u8>,
    /// RFC 6962 leaf hash.
    pub leaf_hash: Hash,
}
