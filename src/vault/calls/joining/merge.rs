//! Two records of one caller become one.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::log::Change;
use crate::log::places::{self, OTHER_SUBJECT};
use crate::model::ask::{Action, Ask};
use crate::model::fields::{FieldSet, MatchStrength};
use crate::model::ids::{JoinId, RecordId};
use crate::model::limits::Counted;
use crate::model::problems;
use crate::policy::{Permit, Why};
use crate::store::rows::{About, CallerRow, Genuine, JoinedRow};
use crate::store::{Guard, Write};
use crate::vault::calls::joining::common::{ByTicket, Joined, JoinedCaller, declared, is_certain, told};
use crate::vault::core::MOST_MERGED;
use crate::vault::people::approvals::{AGREE, DIFFER, Exact, KEPT_TICKET, MERGED_TICKET, is_overtaken, same};
use crate::vault::{Error, Session, Vault};

/// Two records of one caller.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MergeCallers {
    /// The record that is kept. What it has on file stays.
    pub kept: ByTicket,
    /// The record that is merged into it. Fields that the kept record lacks are taken from here.
    pub merged: ByTicket,
}

/// The records in force for the two.
struct Pair {
    kept: Genuine<CallerRow>,
    merged: Genuine<CallerRow>,
}

/// Names of fields in which two records agree and differ, as far as blind indexes tell.
#[derive(Default)]
struct Compared {
    agree: BTreeSet<String>,
    differ: BTreeSet<String>,
    /// A value that a caller is found by is in both.
    connected: bool,
    /// Each has an identifying value of its own.
    contradict: bool,
}

impl Compared {
    const fn against(&self) -> Option<Why> {
        if self.contradict {
            Some(Why::IdentitiesDiffer)
        } else if !self.connected {
            Some(Why::NothingInCommon)
        } else {
            None
        }
    }
}

impl Vault {
    /// Makes one of two records of the same caller, with a second person's approval.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::RefusedBecause`], also for records that contradict each other or have nothing in common;
    /// [`Error::Bad`] where they are one already, or too many would be one.
    pub async fn merge_callers(&self, session: &Session, body: &MergeCallers, exact: &Exact) -> Result<Joined, Error> {
        let done = self.merge_once(session, body, exact).await;
        if is_overtaken(&done, exact) {
            return self.merge_once(session, body, exact).await;
        }
        done
    }

    async fn merge_once(&self, session: &Session, body: &MergeCallers, exact: &Exact) -> Result<Joined, Error> {
        let ask = self.ask_by(session, Action::Merge, &body.kept)?;
        let other = self.ask_by(session, Action::Merge, &body.merged)?;
        self.may_with_two(&ask).await?;
        self.may_with_two(&other).await?;
        let pair = Pair {
            kept: self.of_ask(&ask).await?,
            merged: self.of_ask(&other).await?,
        };
        let ask = ask.other(pair.merged.subject);
        let asking = same(&ask, Action::AskApproval).counting(Counted::Guess);
        let asking = self.may_ask(Action::Merge, asking, exact).await?;
        if pair.kept.id == pair.merged.id {
            return Err(self.not_as_asked(asking, problems::SAME_RECORD).await);
        }
        if pair.kept.merged + pair.merged.merged >= MOST_MERGED {
            return Err(self.not_as_asked(asking, problems::TOO_MANY_MERGED).await);
        }
        let compared = self.may_be_one(&session.rules.fields, asking, &pair).await?;
        let act = self.with_two(ask, about(body, &compared), exact).await?;
        let (change, mut caller) = self
            .compose_merge(&session.rules.fields, act.permit(), &pair)
            .await
            .map_err(told)?;
        let audit = self.act(act, change).await.map_err(told)?.position().into();
        let row = self.caller_row(pair.kept.id).await?;
        let department = session.actor.references();
        let names = self.references(&mut Change::default(), &row, department).await?;
        caller.superseded = names.superseded;
        Ok(Joined { caller, audit })
    }

    /// The record in force for the caller that an ask names.
    async fn of_ask(&self, ask: &Ask) -> Result<Genuine<CallerRow>, Error> {
        let facts = self.facts(ask).await?;
        Ok(facts.caller.ok_or(Error::Stale)?.row)
    }

    /// What two records have in common, if they may be one caller's. Whether they may is told to whoever asks once a guess is counted,
    /// and what stands against it is in the log first. For who was approved, it was found out and counted before; neither record has
    /// changed since, or that is refused.
    async fn may_be_one(&self, fields: &FieldSet, asking: Option<Permit>, pair: &Pair) -> Result<Compared, Error> {
        // What a confidential call stated is joined with nobody (decision 0018); the policy has refused it by its ticket.
        let open = pair.kept.indexed && pair.merged.indexed;
        let compared = self.compared(fields, pair).await?;
        let restricted = pair.kept.restricted || pair.merged.restricted;
        let why = Some(Why::Confidential).filter(|_| !open);
        let why = why.or(Some(Why::Restricted).filter(|_| restricted));
        let why = why.or(compared.against());
        match (why, asking) {
            (None, _) => Ok(compared),
            (Some(why), Some(permit)) => Err(self.refuse(permit, why).await),
            (Some(_), None) => Err(Error::Stale),
        }
    }

    async fn compared(&self, fields: &FieldSet, pair: &Pair) -> Result<Compared, Error> {
        let mut compared = Compared::default();
        let mut of_kept = Vec::new();
        for record in self.family(&pair.kept).await? {
            for field in declared(fields, |name| record.has(name)) {
                of_kept.extend(self.entries_of(&record, field).await?);
            }
        }
        for record in self.family(&pair.merged).await? {
            for field in declared(fields, |name| record.has(name)) {
                if self.is_among(&record, field, &of_kept).await? {
                    compared.agree.insert(field.name().as_str().to_owned());
                    compared.connected |= field.matching() != Some(MatchStrength::Corroborating);
                }
            }
        }
        for field in declared(fields, |name| pair.kept.has(name) && pair.merged.has(name)) {
            let other = self.entries_of(&pair.merged, field).await?;
            if field.index().is_some() && !self.is_among(&pair.kept, field, &other).await? {
                compared.differ.insert(field.name().as_str().to_owned());
                compared.contradict |= is_certain(field);
            }
        }
        Ok(compared)
    }

    async fn compose_merge(
        &self,
        fields: &FieldSet,
        permit: &Permit,
        pair: &Pair,
    ) -> Result<(Change, JoinedCaller), Error> {
        let Pair { kept, merged } = pair;
        let mut change = Change {
            guards: vec![Guard::unchanged(kept), Guard::unchanged(merged)],
            ..Change::default()
        };
        let lacking = declared(fields, |name| merged.has(name) && !kept.has(name));
        let key = self.sealing_key(RecordId::Caller(kept.id)).await?;
        for (field, value) in self.taken_out(permit, merged, &lacking).await? {
            if is_certain(field) {
                // It identifies one caller, who is the other one now.
                let name = field.name().as_str().to_owned();
                change.writes.push(Write::Unindex(merged.id, name));
            }
            self.seal_field(&mut change, &key, (kept.id, true), field, &value)?;
        }
        let took: BTreeMap<String, String> = change.writes.iter().filter_map(places::digest).collect();
        let now = permit.ask().at();
        let mut next = CallerRow {
            merged: kept.merged + merged.merged + 1,
            joined_at: Some(now),
            version: kept.version + 1,
            ..kept.clone().into_row()
        };
        next.note_corrected_by(merged.corrected_by.clone());
        next.put_on_file(lacking.iter().map(|field| field.name().as_str()));
        let leads_on = CallerRow {
            merged_into: Some(kept.id),
            version: merged.version + 1,
            ..merged.clone().into_row()
        };
        let joined = JoinedRow {
            id: JoinId::random(&*self.randomness)?,
            part: merged.subject,
            whole: kept.subject,
            took,
            since: now,
            until: None,
            version: 1,
        };
        let reference = self.refer(&mut change, RecordId::Caller(kept.id), permit.ask().who().references());
        let caller = JoinedCaller {
            r#ref: reference.await?,
            superseded: Vec::new(),
            on_file: next.fields.clone(),
            version: next.version,
        };
        change.writes.push(Write::put(self.keyring.protect(next)?));
        change.writes.push(Write::put(self.keyring.protect(leads_on)?));
        change.writes.push(Write::put(self.keyring.protect(joined)?));
        change.link.insert(OTHER_SUBJECT.to_owned(), merged.subject.to_string());
        Ok((change, caller))
    }
}

/// What the second person is told: the tickets, and in which fields the records agree and differ.
fn about(body: &MergeCallers, compared: &Compared) -> About {
    let names = |names: &BTreeSet<String>| names.iter().cloned().collect::<Vec<_>>().join(",");
    let mut about = About::from([
        (KEPT_TICKET.to_owned(), body.kept.ticket.to_string()),
        (MERGED_TICKET.to_owned(), body.merged.ticket.to_string()),
        (AGREE.to_owned(), names(&compared.agree)),
    ]);
    if !compared.differ.is_empty() {
        about.insert(DIFFER.to_owned(), names(&compared.differ));
    }
    about
}
