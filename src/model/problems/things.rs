//! What problems speak about.

use super::Words;

/// Declares the kinds of things that may not be there, with their names in English and Chinese.
macro_rules! things {
    ($( $(#[$doc:meta])* $variant:ident = $en:literal / $zh:literal; )+) => {
        /// A kind of thing that a request may name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Thing { $( $(#[$doc])* $variant, )+ }

        impl Thing {
            /// What it is called.
            #[must_use]
            pub const fn words(self) -> Words {
                match self { $( Self::$variant => Words { en: $en, zh: $zh }, )+ }
            }
        }
    };
}

things! {
    /// A call's sheet.
    Ticket = "ticket" / "工单";
    /// Its number.
    TicketNo = "ticket number" / "工单编号";
    /// A way a ticket goes.
    Step = "step of a ticket" / "工单步骤";
    /// Who called.
    Caller = "caller" / "诉求人";
    /// What a department calls a caller.
    Reference = "reference" / "引用号";
    /// What a relay exchanges for a number.
    ContactCode = "contact code" / "联系码";
    /// A call by a relay.
    Contact = "contact" / "联系记录";
    /// What hands a reference to another department.
    Transfer = "transfer" / "转换凭据";
    /// What the log calls a caller.
    Subject = "subject" / "日志对象";
    /// A department.
    Department = "department" / "部门";
    /// A person's or a program's account.
    Principal = "principal" / "账号";
    /// A token.
    Token = "token" / "令牌";
    /// What fetches a token once.
    Code = "one-time code" / "验证码";
    /// One of the versions of a key of the vault.
    KeyVersion = "version of this key" / "该密钥的版本";
    /// What waits for a second person.
    Approval = "request for approval" / "审批申请";
    /// What keeps a caller from being erased.
    Hold = "legal hold" / "法律保全";
    /// That a caller was erased.
    Erasure = "erasure" / "销毁记录";
    /// A copy of a store in the making.
    Backup = "backup" / "备份";
    /// A look at everything.
    Check = "check" / "全面检查";
    /// Where an entry stands.
    Index = "index" / "序号";
    /// A checkpoint with witnesses' lines.
    Cosigned = "cosigned checkpoint" / "经见证方签认的检查点";
    /// Entries, tiles or proofs.
    PartOfLog = "part of the log" / "日志内容";
    /// Any of them, where it is not known which.
    Identifier = "identifier" / "编号";
}

impl std::fmt::Display for Thing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.words().en)
    }
}
