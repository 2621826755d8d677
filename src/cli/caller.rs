//! `callervault caller`: what callers may ask for about their data, erasing callers, and the legal holds that forbid it.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use jiff::civil::Date;
use serde_json::{Value, json};

use super::server::{Asking, Call, Server};
use super::show::Column;
use super::{Done, Failure, say};
use crate::atomic_file;
use crate::model::reference::Reference;
use crate::model::rights::{RefusalGround, RightsRequest};

const ERASED: &[Column] = &[
    ("caller", "/subject"),
    ("erased at", "/erased_at"),
    ("records", "/records"),
    ("tickets", "/tickets"),
    ("log entry", "/audit/index"),
];
const CHANGED: &[Column] = &[
    ("hold", "/id"),
    ("caller", "/subject"),
    ("in force", "/in_force"),
    ("log entry", "/audit/index"),
];
const RESTRICTED: &[Column] = &[
    ("caller", "/subject"),
    ("restricted", "/restricted"),
    ("log entry", "/audit/index"),
];
const REFUSED: &[Column] = &[
    ("caller", "/subject"),
    ("request", "/request_words/en"),
    ("", "/request_words/zh"),
    ("reason", "/ground_words/en"),
    ("", "/ground_words/zh"),
    ("remedy", "/remedy/en"),
    ("", "/remedy/zh"),
    ("log entry", "/audit/index"),
];
const STATEMENT: &[Column] = &[
    ("caller", "/subject"),
    ("made at", "/as_of"),
    ("identified by", "/identified_by"),
    ("shown since", "/shown_since"),
    ("fields on file", "/held/fields"),
    ("restricted", "/held/restricted"),
    ("number", "/number"),
    ("numbers looked for", "/checked"),
    ("missing", "/gaps"),
    ("log entry", "/audit/index"),
];
const ENTRIES: &[Column] = &[
    ("number", "/number"),
    ("time", "/at"),
    ("what", "/what"),
    ("act", "/act"),
    ("department", "/department_name"),
    ("role", "/role"),
    ("fields", "/fields"),
    ("form", "/form"),
    ("purpose", "/purpose"),
    ("ticket", "/ticket"),
];
const HOLDS: &[Column] = &[
    ("hold", "/id"),
    ("review", "/review"),
    ("caller", "/subject"),
    ("owner", "/owner_name"),
    ("reason", "/reason"),
    ("caller gone", "/caller_gone"),
];

/// Answer callers about their data: statements, restrictions, refusals; erase callers; set, list and lift legal holds, through a running server.
#[derive(Args)]
pub(super) struct Caller {
    #[command(flatten)]
    asking: Asking,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Erase a caller: the keys are destroyed, and no backup of the data store brings the caller back. Needs --reason, and another
    /// person's approval.
    Erase {
        /// Your department's reference to the caller.
        caller: Reference,
        #[command(flatten)]
        receipt: ReceiptTo,
    },
    /// Fetch the receipt of an erasure again.
    Receipt {
        /// What the log called the caller.
        subject: Reference,
        #[command(flatten)]
        receipt: ReceiptTo,
    },
    /// Make the statement to a caller: names of what is held, and every entry of the log about the caller. Asking is an entry too.
    Statement {
        /// Your department's reference to the caller.
        caller: Reference,
        /// Fields by which you have identified the person who asks, such as id_no [default: the telephone numbers on file].
        #[arg(long, value_name = "FIELD", value_delimiter = ',')]
        identified_by: Vec<String>,
        /// Print a page (HTML) in this language instead, to be printed and given to the caller.
        #[arg(long, value_name = "LANGUAGE")]
        page: Option<PageLanguage>,
        /// Begin behind this mark, which the page before ends with. A statement as text or JSON is whole without it.
        #[arg(long, value_name = "MARK", requires = "page")]
        after: Option<String>,
    },
    /// Restrict a caller's data to storage, with --reason.
    Restrict {
        /// Your department's reference to the caller.
        caller: Reference,
    },
    /// Lift the restriction of a caller's data. Needs --reason, and another person's approval.
    Unrestrict {
        /// Your department's reference to the caller.
        caller: Reference,
    },
    /// Refuse what a caller asks for: the log has it, and the answer has the words for the caller in Chinese and English.
    Refuse {
        /// Your department's reference to the caller.
        caller: Reference,
        /// What the caller asks for.
        #[arg(long, value_name = "REQUEST", value_parser = word(RightsRequest::ALL, RightsRequest::as_str))]
        request: String,
        /// Why it is refused.
        #[arg(long, value_name = "GROUND", value_parser = word(RefusalGround::ALL, RefusalGround::as_str))]
        ground: String,
    },
    /// Set a legal hold on a caller, with --reason: the caller cannot be erased until another person lifts it.
    Hold {
        /// Your department's reference to the caller.
        caller: Reference,
        /// The day on which its owner checks whether it is still needed.
        #[arg(long, value_name = "DATE")]
        review: Date,
        /// Id of the account that answers for it [default: your own].
        #[arg(long, value_name = "ID")]
        owner: Option<String>,
    },
    /// List the legal holds in force, by their days of review.
    Holds,
    /// Lift a legal hold that another person set, with --reason.
    Lift {
        /// The hold's id.
        hold: String,
    },
}

/// The language of a page.
#[derive(Clone, Copy, ValueEnum)]
enum PageLanguage {
    /// 中文
    Zh,
    /// English
    En,
}

/// One of an enumeration's words.
fn word<W: Copy>(words: &'static [W], text: fn(W) -> &'static str) -> clap::builder::PossibleValuesParser {
    words.iter().map(|word| text(*word)).collect::<Vec<_>>().into()
}

/// Where the receipt goes.
#[derive(Args)]
struct ReceiptTo {
    /// Write the receipt into this new file. `callervault audit verify --receipt FILE` checks it.
    #[arg(long, value_name = "FILE")]
    receipt: Option<PathBuf>,
}

impl ReceiptTo {
    /// Before anything is erased.
    fn check(&self) -> Done {
        match &self.receipt {
            Some(path) if path.exists() => Err(Failure::usage(format!(
                "{} is already there\n  name a new file for the receipt",
                path.display()
            ))),
            _ => Ok(()),
        }
    }

    fn write(&self, erased: &Value) -> Done {
        let Some(path) = &self.receipt else { return Ok(()) };
        let receipt = erased.get("receipt").and_then(Value::as_str).unwrap_or_default();
        let lost = |error| {
            Failure::unavailable(format!(
                "{}: {error}\n  the receipt is not lost: `callervault caller receipt` fetches it again",
                path.display()
            ))
        };
        atomic_file::create(path, receipt.as_bytes()).map_err(lost)
    }
}

impl Caller {
    pub(super) fn run(self) -> Done {
        let mut asking = self.asking;
        match self.verb {
            Verb::Erase { caller, receipt } => {
                receipt.check()?;
                let call = Call::new("POST", format!("/v1/callers/{caller}/erase"), None);
                let server = asking.server()?;
                receipt.write(&server.changed(&call, ERASED)?)
            }
            Verb::Receipt { subject, receipt } => {
                receipt.check()?;
                let server = asking.server()?;
                let erased = server.get(&format!("/v1/erasures/{subject}"))?;
                server.show(&erased, ERASED)?;
                receipt.write(&erased)
            }
            Verb::Statement {
                caller,
                identified_by,
                page,
                after,
            } => statement(
                &asking.server()?,
                &address(&caller, &identified_by, page, after.as_deref()),
                page,
            ),
            Verb::Restrict { caller } => {
                let body = json!({"reason": needed(asking.reason.take())?});
                let call = Call::new("POST", format!("/v1/callers/{caller}/restrict"), Some(body));
                asking.server()?.change(&call, RESTRICTED)
            }
            Verb::Unrestrict { caller } => {
                let call = Call::new("POST", format!("/v1/callers/{caller}/unrestrict"), None);
                asking.server()?.change(&call, RESTRICTED)
            }
            Verb::Refuse {
                caller,
                request,
                ground,
            } => refuse(&asking.server()?, &caller, &request, &ground),
            Verb::Hold { caller, review, owner } => {
                let body = json!({"reason": needed(asking.reason.take())?, "review": review, "owner": owner});
                asking.server()?.change(
                    &Call::new("POST", format!("/v1/callers/{caller}/holds"), Some(body)),
                    CHANGED,
                )
            }
            Verb::Holds => {
                let server: Server = asking.server()?;
                server.show_all(&server.list("/v1/holds")?, HOLDS)
            }
            Verb::Lift { hold } => {
                let body = json!({"reason": needed(asking.reason.take())?});
                asking.server()?.change(
                    &Call::new("POST", format!("/v1/holds/{hold}/lift"), Some(body)),
                    CHANGED,
                )
            }
        }
    }
}

fn needed(reason: Option<String>) -> Result<String, Failure> {
    reason.ok_or_else(|| Failure::usage("this needs a reason\n  give --reason TEXT"))
}

/// Where a statement stands.
fn address(caller: &Reference, identified_by: &[String], page: Option<PageLanguage>, after: Option<&str>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("limit", "200");
    if !identified_by.is_empty() {
        query.append_pair("identified_by", &identified_by.join(","));
    }
    if let Some(page) = page {
        query.append_pair(
            "lang",
            match page {
                PageLanguage::Zh => "zh",
                PageLanguage::En => "en",
            },
        );
    }
    if let Some(after) = after {
        query.append_pair("after", after);
    }
    format!("/v1/callers/{caller}/statement?{}", query.finish())
}

/// Shows a statement: one page for people, or all of it.
fn statement(server: &Server, address: &str, page: Option<PageLanguage>) -> Done {
    if page.is_some() {
        return Ok(say(server.page(address)?.trim_end())?);
    }
    let mut statement = server.get(address)?;
    let mut entries = items(&mut statement, "entries");
    let mut gaps = items(&mut statement, "gaps");
    let mut checked = items(&mut statement, "checked");
    while let Some(next) = statement.get("next").and_then(Value::as_str) {
        let mut page = server.get(&format!("{address}&after={next}"))?;
        entries.append(&mut items(&mut page, "entries"));
        gaps.append(&mut items(&mut page, "gaps"));
        checked.append(&mut items(&mut page, "checked"));
        statement["next"] = page.get("next").cloned().unwrap_or_default();
    }
    statement["gaps"] = gaps.into();
    statement["checked"] = checked.into();
    if server.is_json() {
        statement["entries"] = entries.into();
        return Ok(say(statement)?);
    }
    server.show(&statement, STATEMENT)?;
    server.show_all(&entries, ENTRIES)
}

fn items(page: &mut Value, name: &str) -> Vec<Value> {
    let items = page.get_mut(name).and_then(Value::as_array_mut);
    items.map(std::mem::take).unwrap_or_default()
}

/// Refuses what a caller asks for.
fn refuse(server: &Server, caller: &Reference, request: &str, ground: &str) -> Done {
    let body = json!({"request": request, "ground": ground});
    let call = Call::new("POST", format!("/v1/callers/{caller}/refusals"), Some(body));
    server.change(&call, REFUSED)
}
