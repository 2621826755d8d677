//! Refusals: each stands in the log. What is told does not tell a ticket of others from one that does not exist.

use super::problems;

problems! {
    /// Nothing more is told.
    REFUSED = "refused", 403, "Access refused: no need to know" / "拒绝访问：非工作所需",
        "Your role does not allow this." / "您的角色无权进行此操作。";
    /// A ticket that was not signed for, or that was reported on.
    NOT_WORKED_ON = "refused", 403, "Access refused: no need to know" / "拒绝访问：非工作所需",
        "A department sees the caller from its signature to its report." /
        "承办单位签收之后、反馈之前，才能查看诉求人的信息。";
    /// A ticket that is over gives no need.
    TICKET_CLOSED = "refused", 403, "Access refused: no need to know" / "拒绝访问：非工作所需",
        "The ticket is over." / "工单已结束。";
    /// Another caller's ticket gives no need.
    NOT_ABOUT_CALLER = "refused", 403, "Access refused: no need to know" / "拒绝访问：非工作所需",
        "The ticket is not about this caller." / "工单与该诉求人无关。";
    /// Another department's reference.
    FOREIGN_REFERENCE = "refused", 403, "Access refused: no need to know" / "拒绝访问：非工作所需",
        "The reference does not belong to your department." / "该引用号不属于您的部门。";
    /// A reference of a version that is good no more.
    ENDED_REFERENCE = "ended-reference", 410, "The reference is no longer valid" / "引用号已失效",
        "Your department's references have a new version. The ticket or the caller's page shows the new reference." /
        "您的部门已换用新一版引用号。新引用号见工单或诉求人页面。";
    /// A reference that stands for nobody.
    UNKNOWN_REFERENCE = "refused", 403, "Access refused: no need to know" / "拒绝访问：非工作所需",
        "The reference is unknown." / "该引用号不存在。";
    /// A transfer for another department.
    FOREIGN_TRANSFER = "refused", 403, "Access refused: no need to know" / "拒绝访问：非工作所需",
        "The transfer is for another department. It was not used up." / "该转换凭据是给其他部门的。凭据未被使用。";
    /// A transfer that is worth nothing any more.
    TRANSFER_OVER = "transfer-over", 410, "The transfer is no longer valid" / "转换凭据已失效",
        "It has expired or was used, or the department that sent it works on the ticket no more. Ask it for another." /
        "凭据已过期、已使用，或发出部门已不再办理该工单。请由其重新转换。";
    /// A contact code that is worth nothing any more.
    CONTACT_OVER = "contact-over", 410, "The contact code is no longer valid" / "联系码已失效",
        "It has expired or was used: a code is good for one call within 30 minutes. Ask the handler for another." /
        "联系码已过期或已使用：每个码只供 30 分钟内的一次通话。请由承办人员重新申请。";
    /// A ticket of others, or none.
    NOT_HOLDER = "refused", 403, "Access refused: no need to know" / "拒绝访问：非工作所需",
        "Your department does not hold this ticket." / "您的部门没有这张工单。";
    /// A confidential ticket.
    CONFIDENTIAL = "refused", 403, "Access refused: no need to know" / "拒绝访问：非工作所需",
        "The ticket is confidential." / "这是保密工单。";
    /// Permitted for another purpose.
    OTHER_PURPOSE = "refused", 403, "Access refused: no need to know" / "拒绝访问：非工作所需",
        "This purpose does not allow this. Name the purpose of your work." / "该用途不允许此操作，请填写实际用途。";
    /// Too many guesses.
    TOO_MANY_GUESSES = "too-many-guesses", 429, "Too many values checked" / "核验过于频繁",
        "You have checked too many values in a short time. Wait as long as `Retry-After` says. limits.toml has the limits." /
        "短时间内核验次数过多。请等待 `Retry-After` 所示的时间。限额见 limits.toml。";
    /// Too many calls taken.
    TOO_MANY_INTAKES = "too-many-intakes", 429, "Too many calls taken" / "受理过于频繁",
        "You have taken too many calls in a short time. Wait as long as `Retry-After` says. A service account that takes calls \
         for many people can have its own limits in limits.toml." /
        "短时间内受理来电过多。请等待 `Retry-After` 所示的时间。为多人受理来电的服务账号可在 limits.toml 中单独设置限额。";
    /// The day's clear reveals are used up.
    BUDGET_SPENT = "budget-spent", 429, "Daily limit reached" / "已达当日上限",
        "You have reached today's limit of reveals in clear. Ask for the masked form, or wait until tomorrow. If you need more, ask \
         the operator for a higher --reveal-limit." /
        "您今天查看明文的次数已达上限。请改为申请脱敏显示，或明天再试。确需更多时，请运维人员调高 --reveal-limit。";
    /// The witnesses are silent.
    UNWITNESSED = "unwitnessed", 503, "Too few witnesses have cosigned the log recently" / "近期签认日志的见证方不足",
        "An administrator must find out why the witnesses do not cosign. See the program log." /
        "请管理员查明见证方未签认的原因，见程序日志。";
    /// A witness contradicts the log.
    CONTRADICTED = "contradicted", 503,
        "A witness says that the log was cut or rewritten" / "见证方指出日志被截断或改写",
        "An administrator must find out whether the log or the witness is right. See /readyz and the program log." /
        "请管理员查明是日志有误还是见证方有误，见 /readyz 和程序日志。";
    /// Nobody sets their own roles.
    OWN_ROLES = "own-roles", 403, "Not allowed for your own account" / "不能对本人账号操作",
        "You cannot set your own roles or issue your own token. Ask another security administrator." /
        "不能为本人设置角色或签发令牌，请由另一位安全管理员操作。";
    /// Roles that one account may not hold together.
    ROLES_EXCLUDE = "roles-exclude", 422, "The roles exclude each other" / "角色互斥",
        "An account needs at least one role. auditor, security_admin, system_admin, dpo and relay exclude each other and every other \
         role." /
        "账号至少有一个角色。auditor、security_admin、system_admin、dpo、relay 彼此互斥，也不能与其他角色兼任。";
    /// One person alone.
    NOT_APPROVED = "not-approved", 403, "This needs a second person's approval" / "此操作须经另一人审批",
        "Send the request without `Approval` to ask for the approval." /
        "请去掉 `Approval` 发送请求，以申请审批。";
    /// An approval that is none of the asker's.
    NO_SUCH_APPROVAL = "not-approved", 403, "This needs a second person's approval" / "此操作须经另一人审批",
        "You have no such approval. Send the request without `Approval` to ask for one." /
        "您没有这项审批。请去掉 `Approval` 发送请求，以申请审批。";
    /// An approval of something else.
    APPROVAL_OF_ANOTHER = "not-approved", 403, "This needs a second person's approval" / "此操作须经另一人审批",
        "The approval is for another request. Address, `If-Match` and body must be the same as when you asked for it." /
        "该审批针对另一请求。地址、`If-Match` 和请求体必须与申请时一致。";
    /// Nobody has decided on it.
    APPROVAL_WAITS = "not-approved", 403, "This needs a second person's approval" / "此操作须经另一人审批",
        "The request has not been approved yet." / "该申请尚未获批准。";
    /// The second person said no.
    APPROVAL_REFUSED = "not-approved", 403, "This needs a second person's approval" / "此操作须经另一人审批",
        "The second person refused the request." / "该申请已被审批人驳回。";
    /// It was used before.
    APPROVAL_SPENT = "not-approved", 403, "This needs a second person's approval" / "此操作须经另一人审批",
        "The approval has been used. Each approval can be used once." / "该审批已使用，每项审批只能使用一次。";
    /// It is too old.
    APPROVAL_TOO_OLD = "not-approved", 403, "This needs a second person's approval" / "此操作须经另一人审批",
        "The approval has expired. Ask again." / "该审批已过期，请重新申请。";
    /// The second person has lost the right to approve.
    APPROVER_GONE = "not-approved", 403, "This needs a second person's approval" / "此操作须经另一人审批",
        "The person who approved may no longer approve. Ask again." / "审批人已无审批权限，请重新申请。";
    /// The asker is not who they were.
    ASKER_CHANGED = "not-approved", 403, "This needs a second person's approval" / "此操作须经另一人审批",
        "Your account was switched off, moved or given other roles since you asked. Ask again." /
        "申请之后，您的账号曾被停用、调动或变更角色，请重新申请。";
    /// One's own request.
    OWN_REQUEST = "own-request", 403, "Not allowed for your own account" / "不能对本人账号操作",
        "You cannot approve your own request, a request about yourself, or a request of an account that you made or that made yours." /
        "不能审批以下申请：本人提出的、关于本人的、本人所建账号提出的、为本人建账号者提出的。";
    /// Storage and nothing else.
    RESTRICTED = "restricted", 409, "The caller's data are restricted" / "该诉求人信息已限制处理",
        "The caller's data may only be stored. Fields are not shown, compared or moved. Only the agent on the caller's own call may \
         correct them. Ask a data protection officer." /
        "该诉求人的信息只能存储。字段不得查看、核对或移动；仅坐席在受理其本人来电时可以更正。请联系个保负责人。";
    /// One's own hold.
    OWN_HOLD = "own-hold", 403, "Another person must lift the hold" / "须由他人解除保全",
        "You cannot lift a hold that you set, or that was set by an account that you made or that made yours." /
        "不能解除以下保全：本人设置的、本人所建账号设置的、为本人建账号者设置的。";
    /// A program.
    NOT_A_PERSON = "not-a-person", 403, "Not allowed for service accounts" / "服务账号不能进行此操作",
        "A service account can neither ask for an approval nor approve." / "服务账号不能申请审批，也不能审批。";
    /// A service account that was not allowed to, or an account of a person.
    MAY_NOT_ACT_FOR = "may-not-act-for", 403, "Your account may not act on behalf of others" / "本账号不得代办",
        "A security administrator can allow a service account of your department to do so. Or send the request without `On-Behalf-Of`." /
        "须由安全管理员允许本部门的服务账号代办；或去掉 `On-Behalf-Of` 标头再发送。";
    /// An account on whose behalf this one may not act. Which of the conditions it misses is not told.
    NOT_ACTED_FOR = "not-acted-for", 403, "You may not act on behalf of this account" / "不得代该账号办理",
        "The account in `On-Behalf-Of` must be an active account of a person in your account's department. It must have a role in \
         common with your account, and no role of an administrator or of one who approves." /
        "`On-Behalf-Of` 所填账号须是本账号所在部门的在用个人账号，与本账号至少有一个相同角色，且没有管理类或审批类角色。";
    /// What is not done on behalf of others.
    IN_PERSON = "in-person", 403, "This must be done in person" / "此操作须本人办理",
        "Send the request with that person's own token, without `On-Behalf-Of`." /
        "请用本人的令牌发送，不带 `On-Behalf-Of` 标头。";
    /// Decided on.
    APPROVAL_CLOSED = "approval-closed", 409, "Already decided" / "申请已有结果",
        "The request has been decided or has expired." / "该申请已有结果或已过期。";
    /// Approved and used.
    APPROVAL_USED = "approval-closed", 409, "Already decided" / "申请已有结果",
        "The request was approved, and the approval has been used." / "该申请已获批准并已使用。";
    /// Approved before.
    APPROVED_ALREADY = "approval-closed", 409, "Already decided" / "申请已有结果",
        "The request has already been approved." / "该申请已获批准。";
    /// Refused before.
    REFUSED_ALREADY = "approval-closed", 409, "Already decided" / "申请已有结果",
        "The request has already been refused." / "该申请已被驳回。";
    /// Too old.
    APPROVAL_EXPIRED = "approval-closed", 409, "Already decided" / "申请已有结果",
        "The request has expired. The asker must ask again." / "该申请已过期，须由申请人重新申请。";
    /// No reason.
    REASON_REQUIRED = "reason-required", 422, "A reason is missing" / "缺少理由",
        "Give your reason for the request in `Approval-Reason`." / "请在 `Approval-Reason` 中说明申请理由。";
    /// An approval without a reason.
    APPROVER_SAYS_WHY = "reason-required", 422, "A reason is missing" / "缺少理由",
        "Give your reason for the approval in `reason`." / "请在 `reason` 中说明审批理由。";
    /// Too many wait.
    TOO_MANY_OPEN = "too-many-open", 409, "Too many open requests" / "待审批的申请过多",
        "You have 20 open requests for approval. Use those that were approved, or have the others decided. Each request expires \
         after a day." /
        "您有 20 项申请尚未办结。请先使用已批准的申请，或请审批人处理其余申请。每项申请一天后自动失效。";
    /// A code that fetches no token. Where the account has an open code, and this is another, that stands in the log.
    CLAIM_REFUSED = "claim-refused", 403, "The code fetches no token" / "验证码无法领取令牌",
        "There is no such code for this account: it is another, has expired, was used, or others were tried too often. Ask a security administrator for a new one. If nobody of yours has used it, tell an auditor." /
        "该账号没有这个验证码：可能有误、已过期、已使用，或错误次数过多。请向安全管理员申请新的验证码。如非本人使用，请告知审计人员。";
    /// Its state has changed: the asker hears.
    TARGET_CHANGED = "approval-stale", 409, "The approval is out of date" / "审批事项已变化",
        "The data that the approval is about has changed since you asked for it. Read it again, then send the request without \
         `Approval` to ask again." /
        "您申请审批后，所涉事项已变化。请重新读取，再去掉 `Approval` 发送请求，以重新申请。";
    /// Its state has changed: the approver hears.
    TARGET_CHANGED_MEANWHILE = "approval-stale", 409, "The approval is out of date" / "审批事项已变化",
        "The data that the request is about has changed since it was made. Refuse the request, so that the asker can ask again." /
        "申请提出后，所涉事项已变化。请驳回，并由申请人重新申请。";
}
