//! The tables of both stores, one declaration each. Values that identify a caller are bytes somebody else has sealed.

pub mod approval;
pub mod archive;
pub mod blind_index;
pub mod callback;
pub mod caller;
pub mod cell;
pub mod client;
pub mod closed;
pub mod coded;
pub mod contact;
pub mod custody;
pub mod declared;
pub mod department;
pub mod destroyed_key;
pub mod erased;
pub mod field;
pub mod hold;
pub mod joined;
pub mod key_version;
pub mod keys;
pub mod log;
pub mod principal;
pub mod recovery;
pub mod reference;
pub mod replay;
pub mod restriction;
pub mod retention;
pub mod rewrap;
pub mod spent;
mod statement;
mod table;
pub mod tally;
pub mod ticket;
pub mod ticket_count;
pub mod token;
pub mod token_code;
pub mod token_day;
pub mod transfer;
pub mod under;

pub use self::approval::{About, ApprovalRow};
pub use self::archive::ArchiveRow;
pub use self::blind_index::BlindIndexRow;
pub use self::callback::CallbackRow;
pub use self::caller::CallerRow;
pub use self::cell::{Cell, Column, One};
pub use self::client::ClientRow;
pub use self::closed::ClosedRow;
pub use self::coded::{Coded, Genuine, Protected, Stored};
pub use self::contact::ContactRow;
pub use self::custody::CustodyRow;
pub use self::declared::DeclaredRow;
pub use self::department::DepartmentRow;
pub use self::destroyed_key::DestroyedKeyRow;
pub use self::erased::ErasedRow;
pub use self::field::FieldRow;
pub use self::hold::HoldRow;
pub use self::joined::JoinedRow;
pub use self::key_version::KeyVersionRow;
pub use self::keys::{
    Contradiction, DoomedKey, ErasedKey, ErasingAgain, Fence, KeyringRow, UnlockRow, UnlockTryRow, VaultRow, WrappedKey,
};
pub use self::log::{EntryRow, HeadRow, PastEntryRow, PastLogRow, TileRow};
pub use self::principal::PrincipalRow;
pub use self::recovery::RecoveryRow;
pub use self::reference::{ReferenceKey, ReferenceRow};
pub use self::replay::ReplayRow;
pub use self::restriction::RestrictionRow;
pub use self::retention::RetentionRow;
pub use self::rewrap::RewrapRow;
pub use self::spent::SpentRow;
pub(crate) use self::table::table;
pub use self::table::{Columns, FromColumns, NewRow, Put, Read, Row, Statement, Table, next};
pub use self::tally::TallyRow;
pub use self::ticket::TicketRow;
pub use self::ticket_count::TicketCountRow;
pub use self::token::TokenRow;
pub use self::token_code::TokenCodeRow;
pub use self::token_day::TokenDayRow;
pub use self::transfer::TransferRow;
pub use self::under::Place;

/// Every table of the data store.
pub static DATA: &[fn() -> &'static Table] = &[
    VaultRow::table,
    DepartmentRow::table,
    PrincipalRow::table,
    TokenRow::table,
    TokenDayRow::table,
    TokenCodeRow::table,
    CallerRow::table,
    JoinedRow::table,
    FieldRow::table,
    BlindIndexRow::table,
    TicketRow::table,
    TicketCountRow::table,
    CustodyRow::table,
    CallbackRow::table,
    ClosedRow::table,
    ReferenceRow::table,
    TransferRow::table,
    ContactRow::table,
    ReplayRow::table,
    SpentRow::table,
    DeclaredRow::table,
    ApprovalRow::table,
    ArchiveRow::table,
    RecoveryRow::table,
    KeyVersionRow::table,
    DestroyedKeyRow::table,
    ErasedRow::table,
    HoldRow::table,
    RestrictionRow::table,
    RetentionRow::table,
    RewrapRow::table,
    TallyRow::table,
    HeadRow::table,
    EntryRow::table,
    ClientRow::table,
    TileRow::table,
    PastLogRow::table,
    PastEntryRow::table,
];

/// Every table of the key store.
pub static KEYS: &[fn() -> &'static Table] = &[
    VaultRow::table,
    UnlockRow::table,
    KeyringRow::table,
    WrappedKey::table,
    DoomedKey::table,
    ErasedKey::table,
    ErasingAgain::table,
    Fence::table,
    Contradiction::table,
    UnlockTryRow::table,
];
