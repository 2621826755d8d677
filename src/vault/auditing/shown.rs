//! From a value, or a ticket, to the readers who were shown fields of its caller: with a second person's approval, and without
//! a word on whose it is. The answer names readers and days, and neither caller, ticket nor entry; the log says what was asked by the
//! name of the field, never by the value.

use data_encoding::BASE64;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::audit::exposure::{Exposed, Exposure};
use crate::audit::span::End;
use crate::cells;
use crate::log::Change;
use crate::model::ask::Action;
use crate::model::limits::Counted;
use crate::model::problems;
use crate::model::reference::Reference;
use crate::model::submitted::Submitted;
use crate::model::ticket_no::TicketNo;
use crate::store::rows::About;
use crate::store::rows::ticket::BY_NO;
use crate::vault::auditing::exposure::reads;
use crate::vault::auditing::lineage::Subjects;
use crate::vault::auditing::read::NO_LEAF;
use crate::vault::auditing::search::Beyond;
use crate::vault::people::approvals::{Exact, is_overtaken};
use crate::vault::{Audit, Error, Session, Vault};

/// The word of a request and of its entry for the keyed code of the value.
const VALUE_CODE: &str = "value_code";

/// Whose data: name either a field and its value, or a ticket.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskShown {
    /// Name of a caller's field with a blind index. All fields that share the index are searched.
    #[schema(example = "caller_number")]
    pub field: Option<String>,
    /// The field's value.
    #[schema(value_type = Option<String>)]
    pub value: Option<Submitted>,
    /// Number of a ticket, instead of a value.
    #[schema(value_type = Option<String>)]
    pub ticket: Option<TicketNo>,
    /// Start: an RFC 3339 time with its offset, or a day in the vault's local time.
    #[schema(value_type = Option<String>, example = "2026-11-01")]
    pub from: Option<End>,
    /// End, in the same form: a time is excluded, a day included.
    #[schema(value_type = Option<String>, example = "2026-11-30")]
    pub to: Option<End>,
}

/// What one reader was shown.
#[derive(Serialize, utoipa::ToSchema)]
pub struct ShownTo {
    /// The reader: the principal's id.
    pub actor: String,
    /// The reader's current account name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor_name: Option<String>,
    /// The reader's department at the time.
    pub dept: String,
    /// The department's current name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub department_name: Option<String>,
    /// Whether a name is left out because its row in the data store is not as the vault wrote it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    pub names_unproved: bool,
    /// The role that permitted it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Names of the fields.
    pub fields: Vec<String>,
    /// `clear` or `masked`.
    pub form: String,
    /// Number of reads.
    pub count: u64,
    /// Day of the first read, in the vault's local time.
    #[schema(value_type = String, format = Date)]
    pub first: Date,
    /// Day of the last read.
    #[schema(value_type = String, format = Date)]
    pub last: Date,
}

/// Who was shown data. The answer is the same whether no caller has the value or the data was never shown.
#[derive(Serialize, utoipa::ToSchema)]
pub struct ShownAnswer {
    /// One item per reader, fields and form.
    pub readers: Vec<ShownTo>,
    /// Number of all reads.
    pub reads: u64,
    /// What this answer cannot include.
    #[serde(flatten)]
    pub beyond: Beyond,
    /// The log entry of this question. The answer covers the entries before it.
    pub audit: Audit,
}

/// Of whom, once it makes sense.
enum Sought {
    /// A field's name, its blind index, and the value's normal form.
    Value {
        field: String,
        index: String,
        value: Submitted,
    },
    /// A ticket's number.
    Ticket(TicketNo),
}

impl Vault {
    /// Who was shown data of the callers who have a value, or of a ticket's caller, with a second person's approval.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::RefusedBecause`]; [`Error::Bad`] unless either a value with its field or a ticket is named, for a
    /// field without a blind index, and, with the approval used up, for more callers or reads than one answer holds; [`Error::Invalid`];
    /// [`Error::LogIndexBehind`] while the index is filled.
    pub async fn shown(&self, session: &Session, body: &AskShown, exact: &Exact) -> Result<ShownAnswer, Error> {
        let done = self.shown_once(session, body, exact).await;
        if is_overtaken(&done, exact) {
            return self.shown_once(session, body, exact).await;
        }
        done
    }

    async fn shown_once(&self, session: &Session, body: &AskShown, exact: &Exact) -> Result<ShownAnswer, Error> {
        let ask = self.ask_log(session, Action::SubjectExposure)?;
        self.may_with_two(&ask).await?;
        let sought = self.sought(body)?;
        // An index that lags does not use the approval up.
        self.catch_up(self.log.size()).await?;
        let ask = match &sought {
            Sought::Value { .. } => ask.counting(Counted::Guess),
            Sought::Ticket(_) => ask,
        };
        let act = self.with_two(ask, self.about_shown(&sought, body)?, exact).await?;
        // Whatever is answered tells of the value, also that too many have it: the approval is used up and the entry stands by then.
        let audit: Audit = self.act(act, Change::default()).await?.position().into();
        let mut subjects = Subjects::new();
        for subject in self.subjects(&sought).await? {
            for (other, span) in self.subjects_of(subject).await? {
                let all = subjects.get(&other).map_or(span, |known| known.or(span));
                subjects.insert(other, all);
            }
        }
        self.catch_up(audit.index).await?;
        let archived = self.archived_below().await?;
        let mut exposure = Exposure::of_readers_alone();
        let query = reads(None, body.from, body.to, self.hours())?;
        self.expose_subjects(&query, &subjects, (audit.index, archived), &mut exposure)
            .await?;
        let reads = exposure.reads();
        let mut groups = exposure.into_groups();
        self.names_for(session).beside_groups(&mut groups).await?;
        let readers = groups.into_iter().map(|group| self.shown_to(group));
        Ok(ShownAnswer {
            readers: readers.collect::<Result<_, _>>()?,
            reads,
            beyond: self.beyond(archived).await?,
            audit,
        })
    }

    fn sought(&self, body: &AskShown) -> Result<Sought, Error> {
        match (&body.field, &body.value, body.ticket) {
            (None, None, Some(ticket)) => Ok(Sought::Ticket(ticket)),
            (Some(name), Some(value), None) => {
                let rules = self.rules();
                let field = rules.field(name)?;
                let index = field.index().ok_or(Error::Bad(problems::FIELD_NOT_INDEXED))?.to_owned();
                let value = field.normalise(value, self.today()?);
                let value = value.map_err(|invalid| Error::Invalid(vec![invalid]))?;
                Ok(Sought::Value {
                    field: name.clone(),
                    index,
                    value,
                })
            }
            _ => Err(Error::Bad(problems::VALUE_OR_TICKET)),
        }
    }

    /// What the log calls those who have the value, or whom the ticket is about.
    async fn subjects(&self, sought: &Sought) -> Result<Vec<Reference>, Error> {
        let mut subjects = Vec::new();
        match sought {
            Sought::Ticket(no) => {
                let row = self.store.one(&BY_NO, &cells![*no]).await?;
                let row = row.map(|row| self.keyring.genuine(row)).transpose()?;
                subjects.extend(row.map(|row| row.subject));
            }
            Sought::Value { field, value, .. } => {
                let rules = self.rules();
                let (callers, more) = self.having(rules.field(field)?, value).await?;
                if more {
                    return Err(Error::Bad(problems::TOO_MANY_CALLERS));
                }
                for caller in callers {
                    subjects.push(self.caller_row(caller).await?.subject);
                }
            }
        }
        Ok(subjects)
    }

    /// Without the entries' positions, and with days in place of times: either would lead to the entry, and so to the caller.
    fn shown_to(&self, group: Exposed) -> Result<ShownTo, Error> {
        let day = |time: &str| {
            let at = time.parse::<Timestamp>().map_err(|_| NO_LEAF)?;
            Ok::<_, Error>(self.hours().day(at))
        };
        Ok(ShownTo {
            first: day(&group.first)?,
            last: day(&group.last)?,
            actor: group.reading.actor,
            actor_name: group.actor_name,
            dept: group.reading.dept,
            department_name: group.department_name,
            names_unproved: group.names_unproved,
            role: group.reading.role,
            fields: group.reading.fields,
            form: group.reading.form,
            count: group.count,
        })
    }

    /// What the second person is told, and the log: which field or which ticket, and no value. Of a value they have a keyed code, by which
    /// they see whether it is asked for again.
    fn about_shown(&self, sought: &Sought, body: &AskShown) -> Result<About, Error> {
        let mut about = match sought {
            Sought::Ticket(no) => About::from([("ticket".to_owned(), no.to_string())]),
            Sought::Value { field, index, value } => {
                let code = self.keyring.asked_value_code(index, value.expose().as_bytes())?;
                About::from([
                    ("field".to_owned(), field.clone()),
                    (VALUE_CODE.to_owned(), BASE64.encode(code.as_bytes())),
                ])
            }
        };
        about.extend(body.from.map(|from| ("from".to_owned(), from.to_string())));
        about.extend(body.to.map(|to| ("to".to_owned(), to.to_string())));
        Ok(about)
    }
}
