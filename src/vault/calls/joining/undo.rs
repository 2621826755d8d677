//! A merge is undone: the record that was merged stands by itself again, as it did.

use serde::Serialize;

use crate::cells;
use crate::keyring::KeyError;
use crate::log::Change;
use crate::log::leaf;
use crate::log::places::OTHER_SUBJECT;
use crate::model::ask::Action;
use crate::model::fields::{Field, FieldSet};
use crate::model::ids::RecordId;
use crate::model::problems;
use crate::model::reference::Reference;
use crate::policy::Permit;
use crate::store::rows::joined::IN_FORCE;
use crate::store::rows::{About, CallerRow, Genuine, JoinedRow};
use crate::store::{Guard, Write};
use crate::vault::calls::joining::common::{ByTicket, declared, told};
use crate::vault::people::approvals::{Exact, SPLIT_TICKET, is_overtaken, same};
use crate::vault::{Audit, Error, Session, Vault};

/// The records after a merge was undone.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Unmerged {
    /// Your department's reference to the caller that the ticket is about again.
    #[schema(value_type = String)]
    pub r#ref: Reference,
    /// Your department's reference to the caller with whom it was merged.
    #[schema(value_type = String)]
    pub other: Reference,
    /// Fields that the other caller has from this record and keeps, because they were stated or corrected there since.
    pub stays: Vec<String>,
    /// The log entry of this act.
    pub audit: Audit,
}

/// A merge in force.
struct Merged {
    part: Genuine<CallerRow>,
    whole: Genuine<CallerRow>,
    joined: Genuine<JoinedRow>,
}

impl Vault {
    /// Undoes the merge of the record that a ticket was taken for, with a second person's approval.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::RefusedBecause`]; [`Error::Bad`] where the record is not merged, where a later merge must be undone
    /// first, or where an identifying value has become another caller's.
    pub async fn unmerge_caller(&self, session: &Session, body: &ByTicket, exact: &Exact) -> Result<Unmerged, Error> {
        let done = self.unmerge_once(session, body, exact).await;
        if is_overtaken(&done, exact) {
            return self.unmerge_once(session, body, exact).await;
        }
        done
    }

    async fn unmerge_once(&self, session: &Session, body: &ByTicket, exact: &Exact) -> Result<Unmerged, Error> {
        let ask = self.ask_by(session, Action::Unmerge, body)?;
        self.may_with_two(&ask).await?;
        let asking = self
            .may_ask(Action::Unmerge, same(&ask, Action::AskApproval), exact)
            .await?;
        let facts = self.facts(&ask).await?;
        let whole = facts.caller.ok_or(Error::Stale)?.row;
        let part = match &facts.ticket.ok_or(Error::Stale)?.via[..] {
            [] => return Err(self.not_as_asked(asking, problems::NOT_MERGED).await),
            [part] => part.clone(),
            _ => return Err(self.not_as_asked(asking, problems::MERGED_SINCE).await),
        };
        if self.is_held(&whole).await? {
            return Err(self.not_as_asked(asking, problems::HELD_NOT_SPLIT).await);
        }
        let joined = self.join_in_force(&part).await?;
        let merged = Merged { part, whole, joined };
        let fields = &session.rules.fields;
        let (given, stays) = self.given(fields, &merged).await?;
        if self.rests_on(&merged, &given).await? {
            return Err(self.not_as_asked(asking, problems::MERGED_SINCE).await);
        }
        let about = About::from([(SPLIT_TICKET.to_owned(), body.ticket.to_string())]);
        let act = self.with_two(ask, about, exact).await?;
        let department = session.actor.references();
        let mut change = self.compose_unmerge(fields, act.permit(), &merged, &given).await?;
        let reference = self
            .refer(&mut change, RecordId::Caller(merged.part.id), department)
            .await?;
        let other = self
            .refer(&mut change, RecordId::Caller(merged.whole.id), department)
            .await?;
        let audit = self.act(act, change).await.map_err(told)?.position().into();
        Ok(Unmerged {
            r#ref: reference,
            other,
            stays,
            audit,
        })
    }

    async fn join_in_force(&self, part: &CallerRow) -> Result<Genuine<JoinedRow>, Error> {
        let row = self.store.one(&IN_FORCE, &cells![part.subject]).await?;
        Ok(self.keyring.genuine(row.ok_or(KeyError::Broken)?)?)
    }

    /// The fields that the other record has as the merge gave them, and the names of those that it has otherwise since.
    async fn given<'f>(&self, fields: &'f FieldSet, merged: &Merged) -> Result<(Vec<&'f Field>, Vec<String>), Error> {
        let (mut given, mut stays) = (Vec::new(), Vec::new());
        for field in declared(fields, |name| merged.joined.took.contains_key(name)) {
            let name = field.name().as_str();
            match self.sealed(merged.whole.id, name).await? {
                Some(row) if merged.joined.took.get(name) == Some(&leaf::base64(&row.sealed_digest())) => {
                    given.push(field)
                }
                Some(_) => stays.push(name.to_owned()),
                None => {}
            }
        }
        Ok((given, stays))
    }

    /// Whether a record that was merged later has one of these fields: it would have given it, had this one not.
    async fn rests_on(&self, merged: &Merged, given: &[&Field]) -> Result<bool, Error> {
        for other in self.family(&merged.whole).await? {
            if other.merged_into != Some(merged.whole.id) || other.id == merged.part.id {
                continue;
            }
            let later = self.join_in_force(&other).await?.since >= merged.joined.since;
            if later && given.iter().any(|field| other.has(field.name().as_str())) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn compose_unmerge(
        &self,
        fields: &FieldSet,
        permit: &Permit,
        merged: &Merged,
        given: &[&Field],
    ) -> Result<Change, Error> {
        let Merged { part, whole, joined } = merged;
        let mut change = Change {
            guards: vec![
                Guard::unchanged(part),
                Guard::unchanged(whole),
                Guard::unchanged(joined),
            ],
            ..Change::default()
        };
        let names: Vec<&str> = given.iter().map(|field| field.name().as_str()).collect();
        for name in &names {
            change.writes.push(Write::Unindex(whole.id, (*name).to_owned()));
            change
                .writes
                .push(Write::Unseal(RecordId::Caller(whole.id), (*name).to_owned()));
        }
        // Entries that went to the other record, or with a correction there.
        let indexed = declared(fields, |name| part.has(name));
        for (field, value) in self.taken_out(permit, part, &indexed).await? {
            let name = field.name().as_str().to_owned();
            change.writes.push(Write::Unindex(part.id, name));
            self.index_field(&mut change, part.id, field, &value)?;
        }
        let mut without = CallerRow {
            merged: whole.merged.saturating_sub(part.merged + 1),
            version: whole.version + 1,
            ..whole.clone().into_row()
        };
        without.take_off_file(&names);
        let apart = CallerRow {
            merged_into: None,
            version: part.version + 1,
            ..part.clone().into_row()
        };
        let ended = JoinedRow {
            until: Some(permit.ask().at()),
            version: joined.version + 1,
            ..joined.clone().into_row()
        };
        change.writes.push(Write::put(self.keyring.protect(without)?));
        change.writes.push(Write::put(self.keyring.protect(apart)?));
        change.writes.push(Write::put(self.keyring.protect(ended)?));
        change.link.insert(OTHER_SUBJECT.to_owned(), part.subject.to_string());
        Ok(change)
    }
}
