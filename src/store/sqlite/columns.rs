//! Between columns and rows. A column that no version of the vault writes is [`StoreError::Corrupt`], never a panic.

use jiff::Timestamp;
use rusqlite::Row;

use crate::merkle::{Hash, Tile};
use crate::model::approvals::ApprovalState;
use crate::model::ask::Action;
use crate::model::ids::{ApprovalId, CallerId, PrincipalId, RecordId, RecordKind, TicketId, TokenId};
use crate::model::principals::{DepartmentKind, PrincipalKind, Roles};
use crate::model::reference::DepartmentCode;
use crate::model::ticket_no::TicketNo;
use crate::model::tickets::{Channel, MatterKind, TicketState};
use crate::store::rows::{
    ApprovalRow, CallerRow, CustodyRow, DepartmentRow, EntryRow, FieldRow, IndexRow, PastLogRow, PrincipalRow,
    ReferenceRow, ReplayRow, TicketRow, TokenRow,
};
use crate::store::{AnyRow, Result, StoreError};

/// Reads the columns of a row one after the other.
pub(super) struct Columns<'r, 's> {
    row: &'r Row<'s>,
    next: usize,
    table: &'static str,
}

impl<'r, 's> Columns<'r, 's> {
    pub(super) const fn new(row: &'r Row<'s>, table: &'static str) -> Self {
        Self { row, next: 0, table }
    }

    /// From a later column of a joined row.
    pub(super) const fn from(row: &'r Row<'s>, first: usize, table: &'static str) -> Self {
        Self {
            row,
            next: first,
            table,
        }
    }

    fn take<T: rusqlite::types::FromSql>(&mut self) -> Result<T> {
        let at = self.next;
        self.next += 1;
        self.row.get(at).map_err(|_| self.corrupt())
    }

    const fn corrupt(&self) -> StoreError {
        StoreError::Corrupt(self.table)
    }

    fn word<T>(&mut self, parse: impl FnOnce(&str) -> Option<T>) -> Result<T> {
        let word: String = self.take()?;
        parse(&word).ok_or_else(|| self.corrupt())
    }

    pub(super) fn text(&mut self) -> Result<String> {
        self.take()
    }

    pub(super) fn bytes(&mut self) -> Result<Vec<u8>> {
        self.take()
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let bytes: Vec<u8> = self.take()?;
        bytes.try_into().map_err(|_| self.corrupt())
    }

    pub(super) fn hash(&mut self) -> Result<Hash> {
        self.array().map(Hash::from_bytes)
    }

    pub(super) fn number(&mut self) -> Result<u64> {
        let number: i64 = self.take()?;
        u64::try_from(number).map_err(|_| self.corrupt())
    }

    pub(super) fn small(&mut self) -> Result<u8> {
        let number: i64 = self.take()?;
        u8::try_from(number).map_err(|_| self.corrupt())
    }

    pub(super) fn flag(&mut self) -> Result<bool> {
        self.take()
    }

    pub(super) fn instant(&mut self) -> Result<Timestamp> {
        let at: i64 = self.take()?;
        Timestamp::from_millisecond(at).map_err(|_| self.corrupt())
    }

    fn optional_instant(&mut self) -> Result<Option<Timestamp>> {
        let at: Option<i64> = self.take()?;
        at.map(Timestamp::from_millisecond)
            .transpose()
            .map_err(|_| self.corrupt())
    }

    fn optional_principal(&mut self) -> Result<Option<PrincipalId>> {
        let id: Option<Vec<u8>> = self.take()?;
        let id = id.map(TryInto::try_into).transpose().map_err(|_| self.corrupt())?;
        Ok(id.map(PrincipalId::from_bytes))
    }

    fn department_code(&mut self) -> Result<DepartmentCode> {
        self.word(|word| word.parse().ok())
    }

    pub(super) fn record(&mut self) -> Result<RecordId> {
        let kind = self.word(RecordKind::from_word)?;
        Ok(RecordId::new(kind, self.array()?))
    }
}

pub(super) const DEPARTMENT: &str = "code, name, kind, version, mac";

pub(super) fn department(c: &mut Columns<'_, '_>) -> Result<DepartmentRow> {
    Ok(DepartmentRow {
        code: c.department_code()?,
        name: c.text()?,
        kind: c.word(DepartmentKind::from_word)?,
        version: c.number()?,
        mac: c.array()?,
    })
}

pub(super) const PRINCIPAL: &str = "id, account, department, kind, roles, active, created_by, version, mac";

pub(super) fn principal(c: &mut Columns<'_, '_>) -> Result<PrincipalRow> {
    Ok(PrincipalRow {
        id: PrincipalId::from_bytes(c.array()?),
        account: c.text()?,
        department: c.department_code()?,
        kind: c.word(PrincipalKind::from_word)?,
        roles: c.word(Roles::from_words)?,
        active: c.flag()?,
        created_by: c.optional_principal()?,
        version: c.number()?,
        mac: c.array()?,
    })
}

pub(super) const TOKEN: &str = "id, hash, principal, created_at, expires_at, revoked_at, mac";

pub(super) fn token(c: &mut Columns<'_, '_>) -> Result<TokenRow> {
    Ok(TokenRow {
        id: TokenId::from_bytes(c.array()?),
        hash: c.array()?,
        principal: PrincipalId::from_bytes(c.array()?),
        created_at: c.instant()?,
        expires_at: c.optional_instant()?,
        revoked_at: c.optional_instant()?,
        mac: c.array()?,
    })
}

pub(super) const CALLER: &str = "id, created_at, fields, version, mac";

pub(super) fn caller(c: &mut Columns<'_, '_>) -> Result<CallerRow> {
    Ok(CallerRow {
        id: CallerId::from_bytes(c.array()?),
        created_at: c.instant()?,
        fields: c.text()?.split_whitespace().map(str::to_owned).collect(),
        version: c.number()?,
        mac: c.array()?,
    })
}

pub(super) const FIELD: &str = "record_kind, record, field, sealed";

pub(super) fn field(c: &mut Columns<'_, '_>) -> Result<FieldRow> {
    Ok(FieldRow {
        record: c.record()?,
        field: c.text()?,
        sealed: c.bytes()?,
    })
}

pub(super) const INDEX: &str = "idx, value, caller, field, certain, mac";

pub(super) fn index(c: &mut Columns<'_, '_>) -> Result<IndexRow> {
    Ok(IndexRow {
        index: c.text()?,
        value: c.array()?,
        caller: CallerId::from_bytes(c.array()?),
        field: c.text()?,
        certain: c.flag()?,
        mac: c.array()?,
    })
}

pub(super) const TICKET: &str = "id, no, caller, kind, category, township, channel, state, holder, origin, taken_by, \
                                 confidential, received_at, created_at, version, mac";

pub(super) fn ticket(c: &mut Columns<'_, '_>) -> Result<TicketRow> {
    Ok(TicketRow {
        id: TicketId::from_bytes(c.array()?),
        no: c.word(|word| word.parse::<TicketNo>().ok())?,
        caller: CallerId::from_bytes(c.array()?),
        kind: c.word(MatterKind::from_word)?,
        category: c.text()?,
        township: c.text()?,
        channel: c.word(Channel::from_word)?,
        state: c.word(TicketState::from_word)?,
        holder: c.department_code()?,
        origin: c.department_code()?,
        taken_by: PrincipalId::from_bytes(c.array()?),
        confidential: c.flag()?,
        received_at: c.instant()?,
        created_at: c.instant()?,
        version: c.number()?,
        mac: c.array()?,
    })
}

pub(super) const CUSTODY: &str = "ticket, version, state, holder, actor, at, mac";

pub(super) fn custody(c: &mut Columns<'_, '_>) -> Result<CustodyRow> {
    Ok(CustodyRow {
        ticket: TicketId::from_bytes(c.array()?),
        version: c.number()?,
        state: c.word(TicketState::from_word)?,
        holder: c.department_code()?,
        actor: PrincipalId::from_bytes(c.array()?),
        at: c.instant()?,
        mac: c.array()?,
    })
}

pub(super) const REFERENCE: &str = "department, kind, version, body, sealed_id";

pub(super) fn reference(c: &mut Columns<'_, '_>) -> Result<ReferenceRow> {
    Ok(ReferenceRow {
        department: c.department_code()?,
        kind: c.word(RecordKind::from_word)?,
        version: c.small()?,
        body: c.number()?,
        sealed_id: c.bytes()?,
    })
}

pub(super) const REPLAY: &str = "principal, key, request, answer, req, created_at, leaf_index, mac";

/// The answer, and the position of the leaf it points at.
pub(super) fn replay(c: &mut Columns<'_, '_>) -> Result<(ReplayRow, u64)> {
    let row = ReplayRow {
        principal: PrincipalId::from_bytes(c.array()?),
        key: c.array()?,
        request: c.array()?,
        answer: c.bytes()?,
        req: c.text()?,
        created_at: c.instant()?,
        mac: [0; 16],
    };
    let index = c.number()?;
    Ok((ReplayRow { mac: c.array()?, ..row }, index))
}

pub(super) const ENTRY: &str = "idx, body, leaf_hash";

pub(super) fn entry(c: &mut Columns<'_, '_>) -> Result<EntryRow> {
    Ok(EntryRow {
        index: c.number()?,
        body: c.bytes()?,
        leaf_hash: c.hash()?,
    })
}

/// As `entry`, but a stored hash that cannot be read does not hide the leaf.
pub(super) fn any_entry(c: &mut Columns<'_, '_>) -> Result<AnyRow> {
    Ok(AnyRow::Entry(c.number()?, c.bytes()?, c.hash().ok()))
}

pub(super) const PAST_LOG: &str = "n, size, root, checkpoint";

pub(super) fn past_log(c: &mut Columns<'_, '_>) -> Result<PastLogRow> {
    Ok(PastLogRow {
        n: c.number()?,
        size: c.number()?,
        root: c.hash()?,
        checkpoint: c.text()?,
    })
}

pub(super) const PAST_ENTRY: &str = "n, idx, body, leaf_hash";

/// As `any_entry`, with its log before it.
pub(super) fn past_entry(c: &mut Columns<'_, '_>) -> Result<AnyRow> {
    Ok(AnyRow::PastEntry(c.number()?, c.number()?, c.bytes()?, c.hash().ok()))
}

pub(super) const TILE: &str = "level, n, root, hashes";

pub(super) fn tile(c: &mut Columns<'_, '_>) -> Result<Tile> {
    Ok(Tile {
        level: c.small()?,
        index: c.number()?,
        root: c.hash()?,
        hashes: c.bytes()?,
    })
}

pub(super) const APPROVAL: &str =
    "id, action, subject, about, request, asker, approver, state, created_at, expires_at, version, mac";

pub(super) fn approval(c: &mut Columns<'_, '_>) -> Result<ApprovalRow> {
    Ok(ApprovalRow {
        id: ApprovalId::from_bytes(c.array()?),
        action: c.word(Action::from_word)?,
        subject: {
            let subject: Option<String> = c.take()?;
            subject.map(|text| text.parse()).transpose().map_err(|_| c.corrupt())?
        },
        about: c.word(|text| serde_json::from_str(text).ok())?,
        request: c.array()?,
        asker: PrincipalId::from_bytes(c.array()?),
        approver: c.optional_principal()?,
        state: c.word(ApprovalState::from_word)?,
        created_at: c.instant()?,
        expires_at: c.instant()?,
        version: c.number()?,
        mac: c.array()?,
    })
}
