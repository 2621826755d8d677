//! Departments, principals, roles, tokens: the security administrator's work.
//!
//! An account that administers the vault, or on whose approval others depend, is made, changed and equipped by two
//! persons: who could do that alone could grant, read and audit alone (P9).

pub mod approvals;
mod codes;
mod departments;
mod me;
mod principals;
pub(in crate::vault) mod recovery;
mod references;
mod standing;
mod tokens;

use std::str::FromStr;

use serde::Serialize;

pub use self::codes::{Claim, Claimed, Code, CodeLine};
pub use self::departments::{CloseDepartment, Department, FindDepartments, NewDepartment, SetDepartment};
pub use self::me::{Left, Me, Via};
pub(in crate::vault) use self::principals::ACTS_FOR;
pub use self::principals::{FindPrincipals, NewPrincipal, Principal, SetPrincipal};
pub use self::references::RotateReferences;
pub use self::standing::MovePrincipal;
pub use self::tokens::{NewToken, Token, TokenLine, TokenPage};
use crate::cells;
use crate::log::{Change, CommitError};
use crate::model::ask::Action;
use crate::model::ids::PrincipalId;
use crate::model::principals::Roles;
use crate::model::problems::{self, Thing};
use crate::model::purposes::Purpose;
use crate::policy::Permit;
use crate::store::rows::principal::BY_ID;
use crate::store::rows::{About, Genuine, PrincipalRow};
use crate::vault::people::approvals::{Act, Exact};
use crate::vault::{Audit, Error, LARGEST_PAGE, Session, Vault};

/// Something that was made or changed, and the log entry of the change.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Changed<T> {
    /// Its state after the change.
    #[serde(flatten)]
    pub now: T,
    /// The log entry of this change.
    pub audit: Audit,
}

/// A page of a list.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Page<T> {
    /// The items of this page.
    pub items: Vec<T>,
    /// Pass this as `after` to get the next page; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// The log entry of this read.
    pub audit: Audit,
}

impl Vault {
    async fn administer(&self, session: &Session, action: Action) -> Result<Permit, Error> {
        let ask = self.ask(session, action, Purpose::Administer)?;
        let facts = self.facts(&ask).await?;
        self.decide(ask, facts).await
    }

    /// What the permit allows, if these roles are ones that a person may give or use alone; otherwise it takes a second
    /// one, who is told what it is about. An approval that is named must stand in any case: the asker rests on it.
    async fn alone_unless(&self, permit: Permit, roles: &[Roles], about: About, exact: &Exact) -> Result<Act, Error> {
        let alone = !roles
            .iter()
            .any(|&roles| self.rules.load().policy.takes_two_to_give(roles));
        if alone && exact.approval.is_none() {
            return Ok(Act::alone(permit));
        }
        let ask = crate::vault::people::approvals::same(permit.ask(), Action::SetAdministrator);
        self.with_two(ask, about, exact).await
    }

    async fn put(&self, act: Act, change: Change, taken: Thing) -> Result<Audit, Error> {
        match self.act(act, change).await {
            Ok(recorded) => Ok(recorded.position().into()),
            Err(Error::Log(CommitError::Duplicate)) => Err(Error::Taken(taken)),
            Err(other) => Err(other),
        }
    }

    pub(in crate::vault) async fn principal_row(&self, id: PrincipalId) -> Result<Genuine<PrincipalRow>, Error> {
        let row = self.store.one(&BY_ID, &cells![id]).await?;
        Ok(self.keyring.genuine(row.ok_or(Error::NotFound(Thing::Principal))?)?)
    }
}

/// What a request is about, for the people who decide it.
fn about<const N: usize>(words: [(&str, String); N]) -> About {
    words.map(|(name, value)| (name.to_owned(), value)).into()
}

pub(in crate::vault) fn parsed<T: FromStr>(after: Option<&str>) -> Result<Option<T>, Error> {
    let bad = |_| Error::Bad(problems::BAD_CURSOR);
    after.map(|text| text.parse().map_err(bad)).transpose()
}

pub(in crate::vault) fn page<T>(
    items: Vec<T>,
    limit: u32,
    audit: Audit,
    key: impl Fn(&T) -> String,
) -> Result<Page<T>, Error> {
    let full = items.len() >= limit.clamp(1, LARGEST_PAGE) as usize;
    let next = items.last().filter(|_| full).map(key);
    Ok(Page { items, next, audit })
}
