//! What a request is about is not there, or not as the request has it.

use super::problems;

problems! {
    /// Nothing of that kind.
    NOT_FOUND = "not-found", 404, "Not found" / "未找到", "There is no such {what}." / "没有找到该{what}。";
    /// No read with this mark.
    NO_SUCH_READ = "not-found", 404, "Not found" / "未找到", "No read has this mark." / "没有读取记录带有此标记。";
    /// An entry whose body is in the archive.
    ARCHIVED = "archived", 404, "Archived" / "已归档",
        "The entry was archived and its body dropped after the retention period. Its bytes are in the exported archive. Its hash \
         and its proofs are still here. From entry {below} on, entries are still here with their bodies." /
        "该条目过保留期后已归档并从此处清除。其内容在导出的档案中，哈希和证明仍在此处。从第 {below} 条起，条目内容仍在此处。";
    /// A step that does not lead from where the ticket is.
    WRONG_STATE = "wrong-state", 409, "The ticket's state does not allow this step" / "工单当前状态不允许此步骤",
        "The ticket is {state}. docs/transitions.md lists the steps that this state allows." /
        "工单状态为 {state}。该状态可以采取的步骤见 docs/transitions.md。";
    /// A deadline in a year of which the working days are not known.
    YEAR_MISSING = "year-missing", 409, "The working days of the deadline's year are not known" / "缺少时限所在年份的工作日安排",
        "The deadline lies in {year}, and holidays.toml has no table for that year. Nothing was changed. Ask the operator to add the table \
         and reload the rules, then send the request again." /
        "时限落在 {year} 年，而 holidays.toml 没有该年的安排。未作任何更改。请运维人员补充该年的安排并重新加载，然后重新发送请求。";
    /// More time than an extension may give.
    TOO_MANY_DAYS = "too-many-days", 422, "The extension is too long" / "延期天数过多",
        "One extension of this ticket may add 1 to {most} working days." / "该工单每次延期为 1 至 {most} 个工作日。";
    /// More time has been granted as often as may be.
    NO_MORE_EXTENSIONS = "no-more-extensions", 409, "No further extension" / "不能再延期",
        "The extensions that deadlines.toml allows for one dispatch were granted. Report in time, or ask the centre to dispatch the ticket again." /
        "deadlines.toml 允许每次派单的延期次数已用完。请按期反馈，或请热线中心重新派单。";
    /// A ticket that is due at no time.
    NO_DEADLINE = "no-deadline", 409, "The ticket has no deadline" / "工单没有时限",
        "It came to the department in another system, and its deadline is kept there. A new dispatch sets one here." /
        "该工单是在其他系统派出的，时限在原系统。重新派单后，此处才有时限。";
    /// A ticket under supervision.
    SUPERVISED_ALREADY = "supervised-already", 409, "Already supervised" / "已在督办",
        "The ticket is under supervision already." / "该工单已在督办中。";
    /// A ticket that is not.
    NOT_SUPERVISED = "not-supervised", 409, "Not supervised" / "未督办",
        "The ticket is not under supervision, so there is nothing to end." / "该工单未被督办，无需解除。";
    /// A department that works no more.
    DEPARTMENT_CLOSED = "department-closed", 409, "The department is closed" / "部门已撤销",
        "It was closed or merged into another. `GET /v1/departments` lists those that are open." /
        "该部门已撤销或并入其他部门。`GET /v1/departments` 列出在用的部门。";
    /// A call of which the outcome is known.
    CONTACT_REPORTED = "contact-reported", 409, "The call was reported" / "该次联系已回报",
        "The outcome of a call is reported once." / "每次联系只回报一次结果。";
    /// A caller who has left no number.
    NO_NUMBER = "no-number", 409, "No number is on file" / "没有登记号码",
        "The caller has left no telephone number." / "诉求人没有留下电话号码。";
    /// A transfer to oneself.
    SAME_RECEIVER = "same-receiver", 422, "The department is your own" / "接收部门就是本部门",
        "Name the department that is to get a reference." / "请填写要接收引用号的部门。";
    /// A rotation before the grace of the last one is over.
    GRACE_RUNS = "grace-runs", 409, "The references before the last ones are still good" / "上一版引用号仍在宽限期内",
        "A department has two versions of references at most. Wait until `references_before_until`. If a list of references has leaked, use          `grace_days` 0, which ends all of them at once." /
        "一个部门最多同时有两版引用号。请等到 `references_before_until` 之后。如引用号已泄露，请将 `grace_days` 设为 0，旧引用号立即全部失效。";
    /// A reference has four bits for its version.
    NO_MORE_VERSIONS = "no-more-versions", 409, "There are 15 versions already" / "已有 15 版引用号",
        "The department's references had 15 versions. Merge it into a department with another code." /
        "该部门的引用号已有 15 版，不能再换。请将其并入使用新代码的部门。";
    /// A department that people work in.
    DEPARTMENT_STAFFED = "department-in-use", 409, "The department is in use" / "部门仍在使用",
        "It has active accounts. First move them to other departments or switch them off." /
        "该部门仍有在用账号，请先将其调到其他部门或停用。";
    /// A department that has tickets.
    DEPARTMENT_HOLDS = "department-in-use", 409, "The department is in use" / "部门仍在使用",
        "It holds or took tickets that are open. First end them, or dispatch them to another department." /
        "该部门仍持有或受理了未结束的工单，请先改派或结束。";
    /// An account that is off.
    SWITCHED_OFF = "switched-off", 409, "The account is switched off" / "账号已停用",
        "The account is off, and its tokens are void." / "该账号已停用，其令牌已失效。";
    /// An account that is there.
    SAME_DEPARTMENT = "same-department", 409, "The account is in this department" / "账号已在该部门",
        "Name another department." / "请指定另一个部门。";
    /// Something of that name is there.
    TAKEN = "taken", 409, "Already exists" / "已存在", "This {what} already exists." / "该{what}已存在。";
    /// A value that identifies another caller.
    IDENTITY_TAKEN = "taken", 409, "Already exists" / "已存在",
        "An identifying value belongs to another caller on file. Check it with the caller." /
        "有一项身份信息属于另一位在册诉求人，请与来电人核对。";
    /// `same_as` names a caller with whom the call does not agree.
    NOT_THAT_CALLER = "not-that-caller", 409, "The call does not match `same_as`" / "来电与 `same_as` 不符",
        "The values of the call do not match the caller in `same_as`. Check number and name with the caller, or leave out \
         `same_as`." /
        "登记的内容与 `same_as` 所指的诉求人不符。请与来电人核对号码和姓名，或不填 `same_as`。";
    /// A caller whose data are restricted.
    RESTRICTED_ALREADY = "restricted-already", 409, "Already restricted" / "已限制处理",
        "The caller's data are restricted to storage already." / "该诉求人的信息已处于限制处理状态。";
    /// A caller whose data are not.
    NOT_RESTRICTED = "not-restricted", 409, "Not restricted" / "未限制处理",
        "The caller's data are not restricted, so there is nothing to lift." / "该诉求人的信息未被限制处理，无需解除。";
    /// A field by which nobody is identified.
    IDENTIFIES_NOBODY = "identifies-nobody", 422, "This field does not identify a caller" / "该字段不能识别诉求人",
        "In `identified_by`, name fields on file that identify a caller: telephone numbers, documents, accounts. `GET /v1/reference` has \
         them, with `match`." /
        "`identified_by` 应填已登记且能识别诉求人的字段，如电话、证件、账号。可用字段见 `GET /v1/reference` 的 `match`。";
    /// One record is to be merged with itself.
    SAME_RECORD = "same-record", 409, "The references mean the same record" / "引用号指向同一份档案",
        "Both references already stand for one caller. There is nothing to merge." /
        "两个引用号已指向同一位诉求人，无需合并。";
    /// Records of two persons, by their documents.
    IDENTITIES_DIFFER = "identities-differ", 409, "The records have different identity numbers" / "两份档案的身份号码不同",
        "Each record has an identity number, and they differ. If one of them is wrong, correct it first." /
        "两份档案各有身份号码且不一致。如有一项有误，请先更正。";
    /// Records that nothing connects.
    NOTHING_IN_COMMON = "nothing-in-common", 409, "The records have nothing in common" / "两份档案没有相同的信息",
        "No telephone number, document, account or vehicle is in both records. When the caller calls again, state what is in the          other record, then ask again." /
        "两份档案没有相同的电话、证件、账号或车牌。诉求人再次来电时，请登记另一份档案中的信息，再重新申请。";
    /// As many records are one as may be.
    TOO_MANY_MERGED = "too-many-merged", 409, "Too many records are merged" / "合并的档案过多",
        "One caller can have at most 50 merged records." / "一位诉求人最多可合并 50 份档案。";
    /// Nothing to be undone.
    NOT_MERGED = "not-merged", 409, "The record is not merged" / "该档案未被合并",
        "The ticket's own record was not merged into another. Name a ticket that was taken for the record that you want back. If a          call was matched with the wrong caller, split the record instead." /
        "该工单所属档案未并入其他档案。请填写要恢复的档案的工单。如来电被误认为他人，请改用拆分。";
    /// A later merge rests on it.
    MERGED_SINCE = "merged-since", 409, "A later merge must be undone first" / "须先撤销之后的合并",
        "The record was merged further, or another record that was merged later has a value that this one gave. Undo the later          merge first." /
        "该档案此后又被合并，或之后并入的档案含有由本档案提供的信息。请先撤销之后的合并。";
    /// The caller is no more.
    ERASED = "erased", 410, "The caller was erased" / "诉求人信息已销毁",
        "The ticket's caller was erased at their request or after the retention period. Nothing of the caller can be shown. The ticket's \
         steps are still here." /
        "该工单的诉求人信息已依申请或因期限届满而销毁，无法再查看。工单的办理经过仍可查看。";
    /// What the log calls a caller who is no more.
    SUBJECT_ERASED = "erased", 410, "The caller was erased" / "诉求人信息已销毁",
        "The subject leads to nobody any more. `GET /v1/erasures/<subject>` gives the receipt." /
        "该日志对象已不再指向任何人。可用 `GET /v1/erasures/<subject>` 取得回执。";
    /// A legal hold.
    UNDER_HOLD = "under-hold", 409, "A legal hold forbids it" / "法律保全期间不得办理",
        "In force: {holds}. `GET /v1/holds` names the owner and the reason. A hold is lifted by another person than the one who set it." /
        "生效中的保全：{holds}。`GET /v1/holds` 列出负责人和理由。保全须由设置人以外的人解除。";
    /// A record that is to be taken apart, under a legal hold.
    HELD_NOT_SPLIT = "under-hold", 409, "A legal hold forbids it" / "法律保全期间不得办理",
        "What is split off would be under no hold. Have the hold lifted first, or split the record later." /
        "拆分出的部分将不受保全。请先解除保全，或以后再拆分。";
    /// Tickets that are not closed.
    TICKETS_OPEN = "tickets-open", 409, "The caller has open tickets" / "诉求人有未办结的工单",
        "Open: {tickets}. A caller can be erased once every ticket is over." /
        "未结束：{tickets}。全部工单结束后方可销毁诉求人信息。";
    /// A hold that was lifted.
    LIFTED_ALREADY = "lifted", 409, "The hold was lifted" / "保全已解除", "The hold is not in force any more." / "该保全已不再生效。";
    /// Keys that are still there.
    ERASURE_UNFINISHED = "erasure-unfinished", 503, "The erasure is not finished" / "销毁尚未完成",
        "The erasure stands in the log, and the keys are to go. The key store could not delete them yet: free some disk space. The vault \
         tries again with its next entry and at each start. Then `GET /v1/erasures/<subject>` gives the receipt." /
        "销毁已记入日志，密钥待删除。密钥库暂时无法删除，请释放磁盘空间。保险库会在下一次写入和每次启动时重试，完成后可用 `GET /v1/erasures/<subject>` 取得回执。";
    /// It was changed since it was read.
    STALE = "stale", 412, "Changed in the meantime" / "内容已被修改",
        "Read it again, decide again, and send its current `ETag` as `If-Match`." /
        "请重新读取、重新决定，并把当前的 `ETag` 作为 `If-Match` 发送。";
}
