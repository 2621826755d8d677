//! Who was given which role when, and by whom: read out of the leaves of the entries that wrote accounts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::audit::indexer::accounts;
use crate::log::leaf::{INIT, Leaf};
use crate::model::ask::Action;
use crate::vault::auditing::names::{Name, Names};
use crate::vault::auditing::read::{Entry, NO_LEAF};
use crate::vault::auditing::search::{Beyond, Span};
use crate::vault::auditing::wanted::Wanted;
use crate::vault::people::ACTS_FOR;
use crate::vault::{Audit, Error, Session, Vault};

/// The accounts and the period of a role history.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, default)]
pub struct AskRoles {
    /// A principal's id; by default all principals.
    pub principal: Option<String>,
    /// Start: an RFC 3339 time with its offset, or a day in the vault's local time.
    #[param(example = "2026-11-01")]
    pub from: Option<String>,
    /// End, in the same form: a time is excluded, a day included.
    #[param(example = "2026-11-30")]
    pub to: Option<String>,
    /// `next` of the previous page.
    pub after: Option<String>,
    /// Items per page; 50 by default.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    pub limit: Option<String>,
}

/// One change: an account was made or changed.
#[derive(Serialize, utoipa::ToSchema)]
pub struct RoleChange {
    /// Index of the log entry.
    pub index: u64,
    /// Time of the change, UTC.
    pub t: String,
    /// The account: the principal's id.
    pub principal: String,
    /// Its current account name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Its department after the change. Absent in the log's first entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    /// The department's current name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub department_name: Option<String>,
    /// Its roles after the change.
    pub roles: Vec<String>,
    /// Its roles before; absent for a new account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roles_before: Option<Vec<String>>,
    /// Whether it may act on behalf of others after the change; absent if it may not and might not before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acts_for: Option<bool>,
    /// Whether it may authenticate after the change; absent if that did not change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
    /// Who made the change: the principal's id. Absent for the first accounts, which `callervault init` made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The current account name of that principal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_name: Option<String>,
    /// The second person who approved the change, if it needed one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approver: Option<String>,
    /// The current account name of that principal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approver_name: Option<String>,
    /// Whether a name is left out because its row in the data store is not as the vault wrote it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    pub names_unproved: bool,
}

/// A page of the history.
#[derive(Serialize, utoipa::ToSchema)]
pub struct RoleHistory {
    /// Newest first.
    pub items: Vec<RoleChange>,
    /// Pass this as `after` to get the next page; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// The period that the answer covers.
    #[serde(flatten)]
    pub span: Span,
    /// What this answer cannot include.
    #[serde(flatten)]
    pub beyond: Beyond,
    /// The log entry of this question.
    pub audit: Audit,
}

impl Vault {
    /// Role changes: whose account, which roles, when and by whom.
    ///
    /// # Errors
    /// [`Error::Refused`]; [`Error::LogIndexBehind`] while the index is filled.
    pub async fn role_history(
        &self,
        session: &Session,
        asked: &AskRoles,
        wanted: &Wanted,
    ) -> Result<RoleHistory, Error> {
        let ask = self.ask_log(session, Action::RoleHistory)?;
        let audit = self.looked(ask, None, None).await?;
        let archived = self.archived_below().await?;
        let mut names = self.names_for(session);
        let (entries, next) = self.page(wanted, audit.index, archived, &mut names).await?;
        let mut items = Vec::new();
        for entry in entries {
            changes(entry, asked.principal.as_deref(), &mut names, &mut items).await?;
        }
        Ok(RoleHistory {
            items,
            next: next.map(|next| next.text(&wanted.query)),
            span: Span::of(&wanted.query),
            beyond: self.beyond(archived).await?,
            audit,
        })
    }
}

/// What an entry says of accounts: of one, or in a vault's first entry of several.
async fn changes(
    entry: Entry,
    only: Option<&str>,
    names: &mut Names<'_>,
    items: &mut Vec<RoleChange>,
) -> Result<(), Error> {
    let leaf: Leaf = serde_json::from_value(entry.leaf.clone()).map_err(|_| NO_LEAF)?;
    let said = leaf.link.clone().unwrap_or_default();
    let first = leaf.act == INIT;
    for place in accounts(&leaf) {
        let Some((_, principal)) = place
            .split_once('/')
            .filter(|(_, id)| only.is_none_or(|only| only == *id))
        else {
            continue;
        };
        let department = said.get("department").cloned();
        let department_name = match &department {
            Some(code) => names.department(code).await?,
            None => Name::default(),
        };
        let account = names.account(principal).await?;
        items.push(RoleChange {
            index: entry.index,
            t: leaf.t.clone(),
            principal: principal.to_owned(),
            names_unproved: entry.names_unproved || account.unproved || department_name.unproved,
            account: account.text,
            department,
            department_name: department_name.text,
            roles: words(&said, if first { principal } else { "roles" }).unwrap_or_default(),
            roles_before: words(&said, "roles_before"),
            acts_for: said.get(ACTS_FOR).map(|word| word == "true"),
            active: said
                .get("active")
                .filter(|word| said.get("active_before") != Some(word))
                .map(|word| word == "true"),
            by: (!first).then(|| leaf.actor.clone()),
            by_name: entry.actor_name.clone(),
            approver: leaf.approver.clone(),
            approver_name: entry.approver_name.clone(),
        });
    }
    Ok(())
}

/// Words with commas between.
fn words(said: &BTreeMap<String, String>, name: &str) -> Option<Vec<String>> {
    let words = said.get(name)?;
    Some(words.split(',').map(str::to_owned).collect())
}
