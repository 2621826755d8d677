//! What can be asked: one table, from which policy, vault, log and exports take what they know of an action.

use super::word_enum::word_enum;

/// What the policy is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judged {
    /// Each field that is named, one by one; at least one must be.
    ByField,
    /// The act as a whole. It may write fields and shows none.
    Writing,
    /// The act as a whole. It names no field.
    Whole,
}

/// What a ticket must be for it, beside what the policy says: it explains a refusal, and decides nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// No ticket.
    Nothing,
    /// A ticket of the asker's department, open or closed.
    Ticket,
    /// One that is open.
    OpenTicket,
    /// One that is about the caller, open or closed.
    TicketAbout,
    /// One that is open and about the caller, or the ticket itself is what is asked about.
    OpenTicketAbout,
}

/// From when on silent witnesses bar it (decision 0008). One that contradicts the log bars at once what silence ever bars
/// (decision 0016).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// Never.
    Passes,
    /// With the stage in which nothing leaves in bulk.
    BarsBulk,
    /// With the last stage, in which no field is shown. Whether a value is right is as good as the value, guess by guess.
    BarsFields,
}

/// `activity_id` of OCSF 1.x, Datastore Activity (class 6005).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// 1.
    Read = 1,
    /// 2.
    Update = 2,
    /// 4.
    Query = 4,
    /// 6.
    Create = 6,
    /// 7.
    Delete = 7,
    /// 8.
    List = 8,
    /// 10.
    Decrypt = 10,
    /// 99.
    Other = 99,
}

/// All that is known of an action.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// What the policy is asked about.
    pub judged: Judged,
    /// What a ticket must be for it.
    pub needs: Needs,
    /// Whether nobody does it without a second person's approval of the very request.
    pub two_persons: bool,
    /// From when on silent witnesses bar it.
    pub silence: Silence,
    /// What a SIEM hears of it.
    pub activity: Activity,
}

/// Declares the actions: a word each, its labels, and what is known of it.
macro_rules! actions {
    ($( $(#[$doc:meta])* $variant:ident = $word:literal: $en:literal / $zh:literal: $judged:ident, $needs:ident, $persons:ident, $silence:ident, $activity:ident; )+) => {
        word_enum! {
            /// What is asked. The same words name the action in policy and in the log's `act`.
            pub enum Action { $( $(#[$doc])* $variant = $word: $en / $zh, )+ }
        }

        impl Action {
            /// What is known of it.
            #[must_use]
            pub const fn kind(self) -> Kind {
                match self {
                    $( Self::$variant => Kind {
                        judged: Judged::$judged,
                        needs: Needs::$needs,
                        two_persons: actions!(@ $persons),
                        silence: Silence::$silence,
                        activity: Activity::$activity,
                    }, )+
                }
            }
        }
    };
    (@ one) => { false };
    (@ two) => { true };
}

actions! {
    /// Act on behalf of a clerk, as a service account. It is logged where it is refused; otherwise the entry of the act that follows
    /// names both.
    ActFor = "account.act-for": "Act on behalf of a clerk" / "代经办人员操作": Whole, Nothing, one, Passes, Other;
    /// Take a call in.
    Intake = "intake": "Take a call" / "受理来电": Writing, Nothing, one, Passes, Create;
    /// Bring a call in of which something became elsewhere: it was sent to a department, or closed.
    Import = "intake.import": "Import a call with a past" / "导入已有进展的来电": Writing, Nothing, one, Passes, Create;
    /// Open lines that an import rejected, for mending.
    Mend = "intake.mend": "Open rejected lines" / "打开未导入的行": Whole, Nothing, one, BarsFields, Decrypt;
    /// Find callers by one value.
    Lookup = "caller.lookup": "Look a caller up" / "查找诉求人": ByField, Nothing, one, BarsFields, Query;
    /// Read the names of a caller's fields, no values.
    ReadCaller = "caller.read": "Read which fields are on file" / "查看已登记的字段名": Whole, Nothing, one, Passes, Read;
    /// Read fields of a caller or of a ticket.
    Reveal = "field.reveal": "Reveal fields" / "查看字段": ByField, OpenTicketAbout, one, BarsFields, Decrypt;
    /// Compare a value with a field without opening it.
    Verify = "field.verify": "Verify a value" / "核对字段": ByField, OpenTicketAbout, one, BarsFields, Query;
    /// Replace a caller's field.
    Correct = "caller.correct": "Correct a caller" / "更正诉求人信息": ByField, OpenTicketAbout, one, BarsFields, Update;
    /// Make one of two records of the same caller.
    Merge = "caller.merge": "Merge two records of a caller" / "合并同一诉求人的两条记录": Writing, TicketAbout, two, BarsFields, Update;
    /// Make two of them again.
    Unmerge = "caller.unmerge": "Undo a merge of records" / "撤销记录合并": Writing, TicketAbout, two, BarsFields, Update;
    /// Take calls of another person out of a caller's record, into one of their own.
    Split = "caller.split": "Split a caller's record" / "拆分诉求人记录": Writing, TicketAbout, two, BarsFields, Update;
    /// Destroy the keys of a caller's records and of their tickets, and remove everything that leads to them.
    Erase = "caller.erase": "Erase a caller" / "销毁诉求人信息": Whole, Nothing, two, BarsFields, Delete;
    /// Read that a caller was erased, with the receipt.
    ReadErasure = "caller.erasure": "Read the receipt of an erasure" / "查看销毁回执": Whole, Nothing, one, Passes, Read;
    /// Give a caller the statement of what is held about them and of who has read it.
    Statement = "caller.statement": "Give a caller the statement of their data" / "出具个人信息处理情况说明": Whole, Nothing, one, Passes, Read;
    /// Restrict a caller's data to storage.
    Restrict = "caller.restrict": "Restrict a caller's data to storage" / "限制处理诉求人信息": Whole, Nothing, one, Passes, Update;
    /// Lift that restriction.
    Unrestrict = "caller.unrestrict": "Lift the restriction of a caller's data" / "解除处理限制": Whole, Nothing, two, Passes, Update;
    /// Refuse what a caller asks for about their data.
    RefuseRequest = "caller.refuse": "Refuse a caller's request" / "拒绝诉求人的请求": Whole, Nothing, one, Passes, Other;
    /// Put a legal hold on a caller.
    SetHold = "hold.set": "Set a legal hold" / "设置法律保全": Whole, Nothing, one, Passes, Create;
    /// Lift a legal hold that somebody else set.
    LiftHold = "hold.lift": "Lift a legal hold" / "解除法律保全": Whole, Nothing, one, Passes, Update;
    /// See the legal holds in force.
    ReadHolds = "hold.list": "See legal holds" / "查看法律保全": Whole, Nothing, one, Passes, List;
    /// Put the periods of retention in force: callers are erased after them.
    EnforceRetention = "retention.enforce": "Put periods of retention in force" / "启用保存期限": Whole, Nothing, two, BarsFields, Delete;
    /// See what is past its period of retention.
    PreviewRetention = "retention.preview": "See what is past its retention period" / "预览到期信息": Whole, Nothing, one, Passes, List;
    /// Get a code by which a relay puts one call through to a caller.
    AskContact = "contact.ask": "Ask for a contact code" / "申请联系码": ByField, OpenTicketAbout, one, BarsFields, Create;
    /// Take down what became of such a call.
    ReportContact = "contact.report": "Report a call" / "回报通话结果": Whole, Nothing, one, Passes, Update;
    /// Make a transfer by which another department gets a reference of its own to a ticket's caller. Neither sees the other's.
    Translate = "reference.translate": "Translate a reference for another department" / "转换引用号给其他部门": Whole, OpenTicketAbout, one, Passes, Create;
    /// Get one's own reference by a transfer.
    Accept = "reference.accept": "Accept a translated reference" / "接收转换的引用号": Whole, Nothing, one, Passes, Read;
    /// Read a ticket's envelope.
    ReadTicket = "ticket.read": "Read a ticket" / "查看工单": Whole, Ticket, one, Passes, Read;
    /// List a department's tickets.
    ListTickets = "ticket.list": "List tickets" / "列出工单": Whole, Nothing, one, Passes, List;
    /// List the departments that a ticket can be sent to.
    ListDepartments = "department.list": "Find departments" / "查找部门": Whole, Nothing, one, Passes, List;
    /// Send a ticket to a department.
    Dispatch = "ticket.dispatch": "Dispatch" / "派单": Writing, OpenTicket, one, Passes, Update;
    /// Answer the caller without a department.
    Answer = "ticket.answer": "Answer" / "直接答复": Writing, OpenTicket, one, Passes, Update;
    /// Do not take a matter.
    RefuseTicket = "ticket.refuse": "Do not take" / "不予受理": Writing, OpenTicket, one, Passes, Update;
    /// Pass a matter on to somebody beside the hotline.
    TransferOut = "ticket.transfer-out": "Pass on elsewhere" / "转出": Writing, OpenTicket, one, Passes, Update;
    /// Sign for a ticket.
    Sign = "ticket.sign": "Sign for" / "签收": Writing, OpenTicket, one, Passes, Update;
    /// Ask the centre to take a ticket back.
    Return = "ticket.return": "Ask to return" / "申请退单": Writing, OpenTicket, one, Passes, Update;
    /// Take a ticket back.
    AcceptReturn = "ticket.accept-return": "Take back" / "同意退单": Writing, OpenTicket, one, Passes, Update;
    /// Leave a ticket with a department that asked to return it.
    DenyReturn = "ticket.deny-return": "Deny the return" / "不同意退单": Writing, OpenTicket, one, Passes, Update;
    /// Begin work on a ticket.
    Start = "ticket.start": "Begin work" / "开始办理": Writing, OpenTicket, one, Passes, Update;
    /// Ask the centre for more time.
    Extend = "ticket.extend": "Ask for more time" / "申请延期": Writing, OpenTicket, one, Passes, Update;
    /// Give a department more time.
    GrantExtension = "ticket.grant-extension": "Grant more time" / "同意延期": Writing, OpenTicket, one, Passes, Update;
    /// Give a department no more time.
    RefuseExtension = "ticket.refuse-extension": "Refuse more time" / "不同意延期": Writing, OpenTicket, one, Passes, Update;
    /// Report what was done.
    Feedback = "ticket.feedback": "Report" / "反馈": Writing, OpenTicket, one, Passes, Update;
    /// Look at such a report.
    Review = "ticket.review": "Review" / "审核": Writing, OpenTicket, one, Passes, Update;
    /// Let such a report pass.
    Pass = "ticket.pass": "Pass" / "审核通过": Writing, OpenTicket, one, Passes, Update;
    /// Record what came of an attempt to ask the caller.
    RecordCallback = "ticket.callback": "Record a callback" / "登记回访": Writing, OpenTicket, one, Passes, Update;
    /// Send a ticket back for more work.
    Redo = "ticket.redo": "Send back for more work" / "重办": Writing, OpenTicket, one, Passes, Update;
    /// Close a ticket.
    Close = "ticket.close": "Close" / "办结": Writing, OpenTicket, one, Passes, Update;
    /// Take a matter back for its caller.
    Withdraw = "ticket.withdraw": "Withdraw" / "撤回": Writing, OpenTicket, one, Passes, Update;
    /// Put a ticket under supervision.
    Supervise = "ticket.supervise": "Supervise" / "督办": Writing, OpenTicket, one, Passes, Update;
    /// End that supervision.
    Unsupervise = "ticket.unsupervise": "End supervision" / "解除督办": Writing, OpenTicket, one, Passes, Update;
    /// End a ticket without an answer to the matter.
    Terminate = "ticket.terminate": "End" / "终止": Writing, OpenTicket, one, Passes, Update;
    /// See departments and principals.
    ReadAdmin = "admin.read": "See departments and accounts" / "查看部门和账号": Whole, Nothing, one, Passes, Read;
    /// Make or change a department.
    SetDepartment = "admin.department": "Make or change a department" / "建立或更改部门": Whole, Nothing, one, Passes, Update;
    /// Make a principal or set its roles.
    SetPrincipal = "admin.principal": "Make or change an account" / "建立或更改账号": Whole, Nothing, one, Passes, Update;
    /// Read the city's lists again.
    SetLists = "admin.lists": "Reload the lists" / "重新读取清单": Whole, Nothing, one, Passes, Update;
    /// Issue or revoke an API token.
    SetToken = "admin.token": "Issue or revoke a token" / "签发或撤销令牌": Whole, Nothing, one, Passes, Update;
    /// Make, change or equip an account that administers the vault or may approve.
    SetAdministrator = "admin.administrator": "Make or change an administrator" / "建立或更改管理员": Whole, Nothing, two, Passes, Update;
    /// Stop the recovery of an administrator's account.
    StopRecovery = "admin.recover-stop": "Stop a recovery" / "停止恢复管理员账号": Whole, Nothing, one, Passes, Update;
    /// See which versions the vault's keys have.
    ReadKeys = "key.list": "List key versions" / "查看密钥版本": Whole, Nothing, one, Passes, Read;
    /// Give a key of the vault a new version.
    RotateKey = "key.rotate": "Rotate a key" / "轮换密钥": Whole, Nothing, two, Passes, Update;
    /// Move what is under older versions of keys to the newest, in the background. No field is opened for it but by
    /// `key.reindex` and `key.reseal`.
    RewrapKeys = "key.rewrap": "Move values to the newest keys" / "换用最新密钥": Whole, Nothing, one, Passes, Update;
    /// Open values to index them anew with the newest key. Nothing is shown.
    Reindex = "key.reindex": "Index values anew" / "重建盲索引": Whole, Nothing, one, Passes, Decrypt;
    /// Open fields to seal them anew in the suite of the newest key-encryption key. Nothing is shown.
    Reseal = "key.reseal": "Seal fields anew in another suite" / "换用另一算法套件重新加密字段": Whole, Nothing, one, Passes, Decrypt;
    /// Destroy a version of a key that nothing is under any more.
    DestroyKey = "key.destroy": "Destroy a key version" / "销毁密钥版本": Whole, Nothing, two, Passes, Delete;
    /// Copy the data store. Nothing in the copy can be opened without the keys.
    BackupData = "backup.data": "Back up the data store" / "备份数据库": Whole, Nothing, one, BarsBulk, Read;
    /// Copy the wrapped keys, alone or with the data store of the same moment.
    BackupKeys = "backup.keys": "Back up the key store" / "备份密钥库": Whole, Nothing, two, BarsBulk, Read;
    /// Fetch a copy that one has made.
    FetchBackup = "backup.fetch": "Fetch a backup" / "取走备份": Whole, Nothing, one, BarsBulk, Read;
    /// Check everything that the vault holds, while it serves.
    CheckVault = "vault.check": "Check the vault" / "全面检查": Whole, Nothing, one, Passes, Read;
    /// Lock the vault.
    Lock = "vault.lock": "Lock the vault" / "锁定": Whole, Nothing, one, Passes, Other;
    /// Read the log's newest checkpoint or its public keys.
    ReadCheckpoint = "log.checkpoint": "Read a checkpoint or the keys" / "读取检查点或公钥": Whole, Nothing, one, Passes, Read;
    /// Read a tile or a bundle of entries.
    ReadTile = "log.tile": "Read tiles" / "读取日志分块": Whole, Nothing, one, Passes, Read;
    /// Get the proof of one entry, or that one size of the log continues another.
    Prove = "log.prove": "Get a proof" / "取得证明": Whole, Nothing, one, Passes, Read;
    /// Search the log.
    SearchLog = "log.search": "Search the log" / "检索日志": Whole, Nothing, one, Passes, Query;
    /// Read one entry.
    ReadEntry = "log.read": "Read an entry" / "读取条目": Whole, Nothing, one, Passes, Read;
    /// Ask who has been shown which fields.
    Exposure = "log.exposure": "Ask who was shown fields" / "查询谁看过信息": Whole, Nothing, one, Passes, Query;
    /// Read the report on readers.
    Report = "log.report": "Read the report on readers" / "查看读取情况报告": Whole, Nothing, one, Passes, Read;
    /// Follow the log for archive or a SIEM.
    ExportLog = "log.export": "Export the log" / "导出日志": Whole, Nothing, one, BarsBulk, Read;
    /// Find the read behind a trace mark.
    Trace = "log.trace": "Trace a mark" / "追查标记": Whole, Nothing, one, Passes, Query;
    /// See who was given which role when, and by whom.
    RoleHistory = "log.roles": "Read the history of roles" / "查看角色变更历史": Whole, Nothing, one, Passes, Query;
    /// Drop bodies of old entries.
    PruneLog = "log.prune": "Drop old entries" / "清除旧条目": Whole, Nothing, two, Passes, Delete;
    /// Begin a new log after the old one was cut.
    RestartLog = "log.restart": "Begin the next log" / "启用新日志": Whole, Nothing, two, Passes, Create;
    /// Learn which caller a subject of the log is.
    ResolveSubject = "subject.resolve": "Resolve a subject" / "查明日志所指的诉求人": Whole, Nothing, two, Passes, Other;
    /// Learn which readers were shown fields of the caller that a value or a ticket belongs to, and not who the caller is.
    SubjectExposure = "subject.exposure": "Ask who was shown a caller" / "查询谁看过某诉求人": Whole, Nothing, two, Passes, Query;
    /// Ask for a second person's approval.
    AskApproval = "approval.ask": "Ask for approval" / "申请复核": Whole, Nothing, one, Passes, Update;
    /// See what waits for approval.
    ReadApprovals = "approval.read": "Read requests for approval" / "查看待复核的申请": Whole, Nothing, one, Passes, List;
    /// See one's own requests for approval and what became of them.
    ReadOwnRequests = "approval.own": "Read own requests" / "查看本人的申请": Whole, Nothing, one, Passes, List;
    /// Approve or refuse somebody else's request.
    Approve = "approval.approve": "Approve or refuse" / "同意或拒绝申请": Whole, Nothing, one, Passes, Update;
}

impl Action {
    /// Whether it is judged field by field.
    #[must_use]
    pub const fn is_about_fields(self) -> bool {
        matches!(self.kind().judged, Judged::ByField)
    }

    /// Whether the asker must say why a second person should approve, who does not see the values that it is about.
    #[must_use]
    pub const fn is_asked_with_a_reason(self) -> bool {
        matches!(
            self,
            Self::SubjectExposure | Self::Erase | Self::Unrestrict | Self::EnforceRetention
        ) || self.moves_values()
    }

    /// Whether it moves values from one caller's record to another's.
    #[must_use]
    pub const fn moves_values(self) -> bool {
        matches!(self, Self::Merge | Self::Unmerge | Self::Split)
    }

    /// Whether it uses what a caller has on file, which is then more than storage: it shows, compares, replaces or moves values.
    #[must_use]
    pub const fn uses_fields(self) -> bool {
        matches!(self, Self::Reveal | Self::Verify | Self::Correct | Self::AskContact) || self.moves_values()
    }

    /// Whether it does anything with a caller's data that is more than storage: it uses them, or hands a reference to another department.
    #[must_use]
    pub const fn processes(self) -> bool {
        self.uses_fields() || matches!(self, Self::Translate)
    }

    /// Whether it opens values to index them anew, and shows none.
    #[must_use]
    pub const fn reindexes(self) -> bool {
        matches!(self, Self::Reindex)
    }

    /// Whether it opens fields to seal them anew, and shows none.
    #[must_use]
    pub const fn reseals(self) -> bool {
        matches!(self, Self::Reseal)
    }

    /// Whether a service account may do it on behalf of a clerk: the work on calls and tickets. What administers, audits or approves
    /// is done in person, and so is anything that is not listed here.
    #[must_use]
    pub const fn is_done_for_clerks(self) -> bool {
        matches!(
            self,
            Self::Intake
                | Self::Lookup
                | Self::ReadCaller
                | Self::Reveal
                | Self::Verify
                | Self::Correct
                | Self::AskContact
                | Self::Translate
                | Self::Accept
                | Self::ReadTicket
                | Self::ListTickets
                | Self::ListDepartments
                | Self::Answer
                | Self::RefuseTicket
                | Self::TransferOut
                | Self::Dispatch
                | Self::Sign
                | Self::Return
                | Self::AcceptReturn
                | Self::DenyReturn
                | Self::Start
                | Self::Extend
                | Self::GrantExtension
                | Self::RefuseExtension
                | Self::Feedback
                | Self::Review
                | Self::Pass
                | Self::RecordCallback
                | Self::Redo
                | Self::Close
                | Self::Withdraw
                | Self::Supervise
                | Self::Unsupervise
                | Self::Terminate
        )
    }

    /// What nobody does without a second person's approval.
    pub fn two_persons() -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(|action| action.kind().two_persons)
    }
}
