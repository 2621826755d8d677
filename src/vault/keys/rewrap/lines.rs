//! How far rewraps have come, as they are listed.

use serde::Serialize;

use super::ROLES;
use crate::log::leaf;
use crate::model::key_roles::{KeyRole, RewrapState};
use crate::store::rows::RewrapRow;
use crate::vault::{Error, Vault};

/// The newest rewrap of one role.
#[derive(Serialize, utoipa::ToSchema)]
pub struct RewrapLine {
    /// What the key is for.
    pub role: KeyRole,
    /// The version that everything moves to.
    pub version: u8,
    /// Where it stands.
    pub state: RewrapState,
    /// When it was started, RFC 3339.
    pub started_at: String,
    /// When it was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
    /// Rows a second, at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<u32>,
    /// Rows it has looked at.
    pub seen: u64,
    /// Rows there were to look at when it began.
    pub total: u64,
    /// Rows it has moved.
    pub moved: u64,
    /// Rows that cannot be moved because they do not open where they stand. `callervault fsck` names them.
    pub broken: u64,
}

impl Vault {
    /// The newest rewrap of each role that had one.
    pub(in crate::vault::keys) async fn rewrap_lines(&self) -> Result<Vec<RewrapLine>, Error> {
        let mut lines = Vec::new();
        for role in ROLES {
            lines.extend(self.rewrap_row(role).await?.map(|row| self.rewrap_line(&row)));
        }
        Ok(lines)
    }

    pub(super) fn rewrap_line(&self, row: &RewrapRow) -> RewrapLine {
        let state = match row.ended_at {
            Some(_) => RewrapState::Done,
            None if self.rewraps.is_halted(row.role) => RewrapState::Halted,
            None => RewrapState::Running,
        };
        RewrapLine {
            role: row.role,
            version: row.target,
            state,
            started_at: leaf::milliseconds(row.started_at),
            ended_at: row.ended_at.map(leaf::milliseconds),
            rate: row.rate,
            seen: row.seen,
            total: row.total,
            moved: row.moved,
            broken: row.broken,
        }
    }
}
