//! Refusals: each stands in the log. What is told does not tell a ticket of others from one that does not exist.

use super::problems;

problems! {
    /// Nothing more is told.
    REFUSED = "refused", 403, "No need to know" / "不属于工作需要", "Your role does not cover this." / "您的角色无权进行此操作。";
    /// A closed ticket gives no need.
    TICKET_CLOSED = "refused", 403, "No need to know" / "不属于工作需要", "The ticket is closed." / "工单已关闭。";
    /// Another caller's ticket gives no need.
    NOT_ABOUT_CALLER = "refused", 403, "No need to know" / "不属于工作需要",
        "The ticket is not about this caller." / "工单与该来电人无关。";
    /// Another department's reference.
    FOREIGN_REFERENCE = "refused", 403, "No need to know" / "不属于工作需要",
        "The reference is not one of your department's." / "该引用号不属于您的部门。";
    /// A reference that stands for nobody.
    UNKNOWN_REFERENCE = "refused", 403, "No need to know" / "不属于工作需要", "The reference is unknown." / "该引用号不存在。";
    /// A ticket of others, or none.
    NOT_HOLDER = "refused", 403, "No need to know" / "不属于工作需要",
        "Your department does not hold such a ticket." / "您的部门没有这张工单。";
    /// A confidential ticket.
    CONFIDENTIAL = "refused", 403, "No need to know" / "不属于工作需要", "The ticket is confidential." / "工单为保密工单。";
    /// Permitted for another purpose.
    OTHER_PURPOSE = "refused", 403, "No need to know" / "不属于工作需要",
        "The purpose does not cover this. Name the purpose you work for." / "该用途不包含此操作，请填写实际用途。";
    /// Too many guesses.
    TOO_MANY_GUESSES = "too-many-guesses", 429, "Too many guesses" / "核验过于频繁",
        "You have asked too often in a short time whether a value is right. Wait as long as `Retry-After` says. limits.toml has \
         the limits." /
        "短时间内核验次数过多。请等待 `Retry-After` 所示的时间。限额见 limits.toml。";
    /// Too many calls taken.
    TOO_MANY_INTAKES = "too-many-intakes", 429, "Too many calls taken" / "受理过于频繁",
        "You have taken too many calls in a short time. Wait as long as `Retry-After` says. A service account that takes calls \
         for many people can have limits of its own in limits.toml." /
        "短时间内受理来电过多。请等待 `Retry-After` 所示的时间。代多人受理的服务账号可在 limits.toml 中单独设置限额。";
    /// The day's clear reveals are used up.
    BUDGET_SPENT = "budget-spent", 429, "Daily limit reached" / "已达当日上限",
        "You have been shown as many fields in clear today as anybody may. Ask for the masked form, or wait until tomorrow. If \
         you need more, ask the operator for a higher --reveal-limit." /
        "您今天查看明文的次数已达上限。请改为申请脱敏显示，或明天再试。确需更多时，请运维人员调高 --reveal-limit。";
    /// The witnesses are silent.
    UNWITNESSED = "unwitnessed", 503, "No witness has cosigned the log lately" / "近期没有见证方签认日志",
        "An administrator must find out why the witnesses are silent. See the program log." /
        "请管理员查明见证方未应答的原因，见程序日志。";
    /// A witness contradicts the log.
    CONTRADICTED = "contradicted", 503,
        "A witness says that the log was cut or rewritten" / "见证方指出日志被截断或改写",
        "An administrator must find out who is right, the log or the witness. See /readyz and the program log." /
        "请管理员查明日志与见证方何者正确，见 /readyz 和程序日志。";
    /// Nobody sets their own roles.
    OWN_ROLES = "own-roles", 403, "Not for oneself" / "不能为本人操作",
        "Nobody sets their own roles or issues their own token. Ask another security administrator." /
        "任何人不得为本人设置角色或签发令牌，请由另一位安全管理员操作。";
    /// Roles that one account may not hold together.
    ROLES_EXCLUDE = "roles-exclude", 422, "The roles exclude each other" / "角色互斥",
        "An account has at least one role. auditor, security_admin, system_admin and dpo exclude each other and every other \
         role." /
        "账号至少有一个角色。auditor、security_admin、system_admin、dpo 彼此互斥，也不能与其他角色兼任。";
    /// One person alone.
    NOT_APPROVED = "not-approved", 403, "This takes two persons" / "此操作须两人完成",
        "Nobody does this alone. Send it without `Approval` to ask for a second person's approval." /
        "此操作不能一人完成。请去掉 `Approval` 发送，以申请另一人审批。";
    /// An approval that is none of the asker's.
    NO_SUCH_APPROVAL = "not-approved", 403, "This takes two persons" / "此操作须两人完成",
        "There is no such approval of yours. Send the request without `Approval` to ask for one." /
        "您没有这项审批。请去掉 `Approval` 发送请求以申请审批。";
    /// An approval of something else.
    APPROVAL_OF_ANOTHER = "not-approved", 403, "This takes two persons" / "此操作须两人完成",
        "The approval is for another request. Address, `If-Match` and body must say the same as when it was asked for." /
        "该审批针对另一请求。地址、`If-Match` 和请求体必须与申请时一致。";
    /// Nobody has decided on it.
    APPROVAL_WAITS = "not-approved", 403, "This takes two persons" / "此操作须两人完成",
        "Nobody has approved the request yet." / "该申请尚未获批准。";
    /// The second person said no.
    APPROVAL_REFUSED = "not-approved", 403, "This takes two persons" / "此操作须两人完成",
        "The request was refused by the second person." / "该申请已被审批人驳回。";
    /// It was used before.
    APPROVAL_SPENT = "not-approved", 403, "This takes two persons" / "此操作须两人完成",
        "The approval has been used. Each is good for one time." / "该审批已使用，每项审批只能使用一次。";
    /// It is too old.
    APPROVAL_TOO_OLD = "not-approved", 403, "This takes two persons" / "此操作须两人完成",
        "The approval has expired. Ask again." / "该审批已过期，请重新申请。";
    /// The second person has lost the right to approve.
    APPROVER_GONE = "not-approved", 403, "This takes two persons" / "此操作须两人完成",
        "The person who approved may no longer approve. Ask again." / "审批人已无审批权限，请重新申请。";
    /// One's own request.
    OWN_REQUEST = "own-request", 403, "Not for oneself" / "不能为本人操作",
        "Nobody approves their own request, one of an account they made or that made theirs, or one about themselves." /
        "任何人不得审批本人的申请、由本人创建或创建本人的账号的申请，以及关于本人的申请。";
    /// A program.
    NOT_A_PERSON = "not-a-person", 403, "This takes persons" / "此操作须由个人完成",
        "A service account neither asks for what takes two persons nor approves it." / "服务账号不能申请或审批须两人完成的操作。";
    /// Decided on.
    APPROVAL_CLOSED = "approval-closed", 409, "Decided already" / "申请已有结果",
        "The request has been decided on or has expired." / "该申请已有结果或已过期。";
    /// Approved and used.
    APPROVAL_USED = "approval-closed", 409, "Decided already" / "申请已有结果",
        "The request was approved and has been used." / "该申请已获批准并已使用。";
    /// Approved before.
    APPROVED_ALREADY = "approval-closed", 409, "Decided already" / "申请已有结果",
        "The request has been approved already." / "该申请已获批准。";
    /// Refused before.
    REFUSED_ALREADY = "approval-closed", 409, "Decided already" / "申请已有结果",
        "The request has been refused already." / "该申请已被驳回。";
    /// Too old.
    APPROVAL_EXPIRED = "approval-closed", 409, "Decided already" / "申请已有结果",
        "The request has expired. It must be asked for again." / "该申请已过期，须重新申请。";
    /// No reason.
    REASON_REQUIRED = "reason-required", 422, "A reason is missing" / "缺少理由",
        "Say in `Approval-Reason` why you ask for this." / "申请人须在 `Approval-Reason` 中说明理由。";
    /// An approval without a reason.
    APPROVER_SAYS_WHY = "reason-required", 422, "A reason is missing" / "缺少理由",
        "Say in `reason` why you approve." / "审批人须在 `reason` 中说明理由。";
    /// Too many wait.
    TOO_MANY_OPEN = "too-many-open", 409, "Too many open requests" / "待审批的申请过多",
        "20 of your requests for approval are open. Use those that were approved, or have the others decided on. Each ends by \
         itself after a day." /
        "您有 20 项申请尚未办结。请先使用已批准的申请，或请审批人处理其余申请。每项申请一天后自动失效。";
    /// Its state has changed: the asker hears.
    TARGET_CHANGED = "approval-stale", 409, "What the approval is about has changed" / "审批事项已变化",
        "What the approval is about has changed since it was asked for. Read it again, then send the request without `Approval` \
         to ask anew." /
        "申请审批后，所涉事项已变化。请重新读取，再去掉 `Approval` 发送请求以重新申请。";
    /// Its state has changed: the approver hears.
    TARGET_CHANGED_MEANWHILE = "approval-stale", 409, "What the approval is about has changed" / "审批事项已变化",
        "What the request is about has changed since it was asked for. Refuse it, and let it be asked for anew." /
        "申请提出后，所涉事项已变化。请驳回，并由申请人重新申请。";
}
