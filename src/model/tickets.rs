//! Tickets: kinds, channels, states, and what is known of who called.

use super::word_enum::word_enum;

word_enum! {
    /// 诉求类型: what kind of matter a ticket is.
    pub enum MatterKind {
        /// 咨询.
        Inquiry = "inquiry": "Inquiry" / "咨询",
        /// 求助.
        Help = "help": "Request for help" / "求助",
        /// 投诉.
        Complaint = "complaint": "Complaint" / "投诉",
        /// 举报: confidential by default (DOMAIN §5).
        Report = "report": "Report" / "举报",
        /// 建议.
        Suggestion = "suggestion": "Suggestion" / "建议",
        /// 表扬.
        Praise = "praise": "Praise" / "表扬",
    }
}

word_enum! {
    /// 紧急程度: how soon a matter has to be dealt with.
    pub enum Urgency {
        /// 一般.
        Normal = "normal": "Normal" / "一般",
        /// 紧急.
        Urgent = "urgent": "Urgent" / "紧急",
        /// 特急.
        Emergency = "emergency": "Emergency" / "特急",
    }
}

impl Urgency {
    /// That of a matter of which nothing else is said.
    #[must_use]
    pub const fn usual() -> Self {
        Self::Normal
    }

    /// Its place in a queue: the most urgent is 0. Migrations have the same numbers.
    #[must_use]
    pub const fn rank(self) -> i64 {
        match self {
            Self::Emergency => 0,
            Self::Urgent => 1,
            Self::Normal => 2,
        }
    }
}

word_enum! {
    /// How the matter reached the hotline.
    pub enum Channel {
        /// By telephone.
        Phone = "phone",
        /// Through a web form.
        Web = "web",
        /// Through WeChat.
        Wechat = "wechat",
        /// Through the city's app.
        App = "app",
    }
}

word_enum! {
    /// What becomes of a caller's field when calls are split from the record.
    pub enum Share {
        /// The new record gets it, and the old one has it no longer.
        Move = "move": "Move" / "移到新记录",
        /// Both have it.
        Copy = "copy": "Copy" / "两条记录都保留",
    }
}

word_enum! {
    /// How sure the vault is that the caller has called before.
    pub enum Matched {
        /// Nobody on file fits.
        New = "new": "New caller" / "新的诉求人",
        /// The same person.
        Certain = "certain": "Caller on file" / "在册诉求人",
        /// The agent says that it is the same person, and what the call states agrees.
        Confirmed = "confirmed": "Caller on file whom the agent named" / "坐席指明的在册诉求人",
        /// Perhaps the same person: a new record was made.
        Tentative = "tentative": "May be a caller on file" / "可能是在册诉求人",
    }
}

word_enum! {
    /// Where a ticket stands (DOMAIN §3).
    pub enum TicketState {
        /// Taken by an agent, held by the centre.
        Accepted = "accepted": "Accepted" / "已受理",
        /// The centre has answered the caller itself.
        Answered = "answered": "Answered by the centre" / "已直接答复",
        /// Sent to a department, which has not said yet that it takes it.
        Dispatched = "dispatched": "Dispatched" / "已派单",
        /// The department says that it is not its own, and the centre has not decided yet.
        ReturnAsked = "return_asked": "Return asked for" / "退单待审",
        /// The department takes it.
        Signed = "signed": "Signed for" / "已签收",
        /// The department works on it.
        InProgress = "in_progress": "In progress" / "办理中",
        /// The department works on it, and asks for more time.
        ExtensionAsked = "extension_asked": "Extension asked for" / "延期待审",
        /// The department has reported what it did.
        Feedback = "feedback": "Reported" / "已反馈",
        /// The centre looks at that report.
        Review = "review": "In review" / "审核中",
        /// The caller is asked whether it is solved.
        Callback = "callback": "Calling back" / "回访中",
        /// Done.
        Closed = "closed": "Closed" / "已办结",
        /// The hotline does not take it.
        Refused = "refused": "Not taken" / "不予受理",
        /// Passed on to somebody beside the hotline: the police, discipline inspection, petitions.
        TransferredOut = "transferred_out": "Passed on elsewhere" / "已转出",
        /// The caller has taken it back.
        Withdrawn = "withdrawn": "Withdrawn" / "已撤回",
        /// Ended by the centre without an answer to the matter.
        Terminated = "terminated": "Ended" / "已终止",
    }
}

impl TicketState {
    /// Whether the ticket goes on. When it is over, no field of its caller is shown for it any more.
    #[must_use]
    pub const fn is_open(self) -> bool {
        !matches!(
            self,
            Self::Closed | Self::Refused | Self::TransferredOut | Self::Withdrawn | Self::Terminated
        )
    }

    /// This state where the ticket is over in it, and [`Self::Closed`] otherwise.
    #[must_use]
    pub const fn ended(self) -> Self {
        if self.is_open() { Self::Closed } else { self }
    }

    /// Whether the department has yet to sign for the ticket.
    #[must_use]
    pub const fn awaits_signature(self) -> bool {
        matches!(self, Self::Dispatched | Self::ReturnAsked)
    }

    /// Whether the ticket lies with the department that it was sent to.
    #[must_use]
    pub const fn is_with_department(self) -> bool {
        matches!(
            self,
            Self::Dispatched | Self::ReturnAsked | Self::Signed | Self::InProgress | Self::ExtensionAsked
        )
    }

    /// Whether the reply of the ticket is for the caller: the centre has answered, or has let a department's report pass.
    #[must_use]
    pub const fn is_told(self) -> bool {
        matches!(self, Self::Answered | Self::Callback | Self::Closed)
    }

    /// Whether a department has taken the ticket and works on it: only then does it need its caller.
    #[must_use]
    pub const fn is_worked_on(self) -> bool {
        matches!(self, Self::Signed | Self::InProgress | Self::ExtensionAsked)
    }
}

word_enum! {
    /// The order of a list of tickets.
    pub enum TicketOrder {
        /// Tickets that are not over, or those of one state: the most urgent first, then the earliest deadline, then the oldest.
        Queue = "queue": "By urgency, deadline and age" / "按紧急程度、时限、受理时间",
        /// All tickets, also those that are over.
        Newest = "newest": "Newest first" / "最新在前",
    }
}

/// A category code such as `noise`: 1–40 of `a-z`, `0-9`, `_` and `-`, beginning with a letter, no separator doubled or at
/// the end, no run of five digits. It stands in clear, so at intake only those are taken that `lists.toml` has.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(transparent)]
pub struct Category(String);

const LONGEST_CATEGORY: usize = 40;
const MOST_DIGITS: usize = 4;

impl Category {
    /// The category with this code, or nothing if it is not a code.
    #[must_use]
    pub fn new(code: &str) -> Option<Self> {
        let words_fit = code.split(['_', '-']).all(|word| {
            !word.is_empty()
                && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
                && word
                    .split(|c: char| !c.is_ascii_digit())
                    .all(|run| run.len() <= MOST_DIGITS)
        });
        let good = words_fit && code.len() <= LONGEST_CATEGORY && code.starts_with(|c: char| c.is_ascii_lowercase());
        good.then(|| Self(code.to_owned()))
    }

    /// The code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
