//! Requests that cannot be read or make no sense as they are.

use super::problems;

problems! {
    /// No token, or none that is good.
    UNAUTHENTICATED = "unauthenticated", 401, "No valid token" / "令牌无效",
        "Send `Authorization: Bearer <token>` with a token that has neither expired nor been revoked." /
        "请在 `Authorization: Bearer <令牌>` 中发送未过期、未吊销的令牌。";
    /// No such route.
    NO_ROUTE = "no-route", 404, "No such address" / "地址不存在",
        "The addresses are in /openapi.json." / "可用地址见 /openapi.json。";
    /// No such method on this route.
    NO_METHOD = "no-method", 405, "Not with this method" / "该地址不支持此方法",
        "The methods are in /openapi.json." / "可用方法见 /openapi.json。";
    /// What a library refused before a handler saw it.
    NOT_UNDERSTOOD = "not-understood", 400, "The request was not understood" / "无法理解该请求",
        "The addresses, methods and shapes are in /openapi.json." / "地址、方法和格式见 /openapi.json。";
    /// The body says that it is something else.
    NOT_JSON = "not-json", 415, "The body is not JSON" / "请求体不是 JSON",
        "Send `Content-Type: application/json`." / "请发送 `Content-Type: application/json`。";
    /// More than a body may have.
    BODY_TOO_LARGE = "body-too-large", 413, "The body is too large" / "请求体过大",
        "A body has at most 1 MiB. Nothing was stored." / "请求体最大 1 MiB。未保存任何内容。";
    /// Not JSON at all.
    BAD_JSON = "bad-json", 400, "The JSON cannot be used" / "JSON 不可用",
        "The body is not well-formed JSON at line {line}, column {column}." / "请求体第 {line} 行第 {column} 列不是合法的 JSON。";
    /// JSON and then something else.
    MORE_THAN_JSON = "bad-json", 400, "The JSON cannot be used" / "JSON 不可用",
        "There is something after the JSON." / "JSON 之后还有多余内容。";
    /// JSON that two readers may understand in two ways.
    AMBIGUOUS_JSON = "bad-json", 400, "The JSON cannot be used" / "JSON 不可用",
        "The JSON can be read in two ways. Name each thing once, and send large numbers as text." /
        "该 JSON 有歧义。每个名称只能出现一次，大数请以文本发送。";
    /// JSON of another shape.
    WRONG_SHAPE = "bad-json", 400, "The JSON cannot be used" / "JSON 不可用",
        "`{at}`: {rule}. The shape is in /openapi.json." / "`{at}`：{rule}。格式见 /openapi.json。";
    /// A parameter that cannot be used.
    BAD_QUERY = "bad-query", 400, "A parameter cannot be used" / "参数不可用",
        "The parameter `{at}`: {rule}." / "参数 `{at}`：{rule}。";
    /// A parameter that the address does not have.
    UNKNOWN_PARAMETER = "bad-query", 400, "A parameter cannot be used" / "参数不可用",
        "This address has no such parameter: {rule}." / "该地址没有此参数：{rule}。";
    /// A page that does not follow one of this list.
    BAD_CURSOR = "bad-cursor", 400, "Not a cursor of this list" / "翻页标记无效",
        "Send `next` of the page before as `after`, with the same parameters." / "请把上一页的 `next` 作为 `after` 发送，其他参数不变。";
    /// An identifier whose length or check characters are wrong.
    MISTYPED_IDENTIFIER = "mistyped-identifier", 400, "Mistyped" / "编号有误",
        "The {what} in the address is mistyped: its length or check characters are wrong." /
        "地址中的{what}有误：长度或校验位不对。";
    /// A trace mark whose check character is wrong.
    MISTYPED_MARK = "mistyped-mark", 400, "Not a trace mark" / "不是溯源标记",
        "A trace mark has 12 characters, and its check character must be right. Read it again from the copy." /
        "溯源标记有 12 个字符，且校验位必须正确。请对照副本重新读取。";
    /// A path that no tile has.
    NO_SUCH_TILE = "no-such-tile", 400, "Not the path of a tile" / "不是日志分块的路径",
        "A path is tile/<L>/<N>[.p/<W>] or tile/entries/<N>[.p/<W>]." /
        "路径形如 tile/<L>/<N>[.p/<W>] 或 tile/entries/<N>[.p/<W>]。";
    /// A key that cannot be one.
    BAD_IDEMPOTENCY_KEY = "bad-idempotency-key", 400, "Not an Idempotency-Key" / "Idempotency-Key 无效",
        "An Idempotency-Key has 1 to 128 visible ASCII characters." / "Idempotency-Key 为 1 到 128 个可见 ASCII 字符。";
    /// A key where answers are not kept.
    IDEMPOTENCY_NOT_SUPPORTED = "idempotency-not-supported", 400,
        "This call takes no Idempotency-Key" / "此调用不接受 Idempotency-Key",
        "Send it without one. If an answer was lost, list what is there before you repeat it, and revoke any token that did not \
         reach you." /
        "请去掉该标头再发送。如果未收到应答，请先列出现有内容再重试，并吊销未收到的令牌。";
    /// A key that came before with another request.
    KEY_REUSED = "idempotency-key-reused", 422,
        "The Idempotency-Key came before with another request" / "该 Idempotency-Key 已用于另一请求",
        "Use a new key for a new request." / "新的请求请使用新的 Idempotency-Key。";
    /// A reason in a header that cannot be one.
    BAD_APPROVAL_REASON = "bad-reason", 400, "Not a reason" / "理由不可用",
        "{rule}. In the header `Approval-Reason` it is UTF-8, percent-encoded, and given once." /
        "{rule}。在 `Approval-Reason` 标头中须为 UTF-8、百分号编码，且只出现一次。";
    /// An approval that cannot be one.
    BAD_APPROVAL = "bad-approval", 400, "Not an approval" / "审批编号无效",
        "Send one `Approval` header: the id that was answered when approval was asked for." /
        "请发送一个 `Approval` 标头，其值为申请审批时应答中的编号。";
    /// A version that cannot be one.
    BAD_IF_MATCH = "bad-if-match", 400, "Not an ETag of this vault" / "不是本库的 ETag",
        "Send the `ETag` of the last read." / "请发送最近一次读取时得到的 `ETag`。";
    /// No version where one must be named.
    IF_MATCH_REQUIRED = "if-match-required", 428, "Say which version you change" / "请指明要修改的版本",
        "Read it first and send its `ETag` as `If-Match`." / "请先读取，再把 `ETag` 作为 `If-Match` 发送。";
    /// Values that break their fields' rules.
    INVALID_FIELD = "invalid-field", 422, "A value breaks its field's rule" / "有字段的值不符合规则",
        "Correct the fields named in `invalid` and send all of it again. Nothing was stored. With `leave_out_invalid` a call is taken \
         without them." /
        "请更正 `invalid` 中列出的字段后重新发送全部内容。未保存任何内容。来电登记可加 `leave_out_invalid`，不含这些字段即予受理。";
    /// A field that nobody declared.
    UNKNOWN_FIELD = "unknown-field", 422, "No such field" / "字段不存在",
        "A field is not declared for this kind of record. fields.toml lists those that are." /
        "该类记录没有声明此字段。已声明的字段见 fields.toml。";
    /// No field at all.
    NO_FIELDS = "no-fields", 422, "No field is named" / "未指定字段", "Name at least one field." / "请至少指定一个字段。";
    /// A field twice.
    REPEATED_FIELD = "repeated-field", 422, "A field is named twice" / "字段重复", "Name each field once." / "每个字段只能出现一次。";
    /// More than one entry of the log can name.
    TOO_MANY_FIELDS = "too-many-fields", 422, "Too many fields at once" / "一次请求的字段过多",
        "One entry of the log cannot name them all. Ask for fewer." / "一条日志无法记下全部字段，请减少字段。";
    /// A field without a blind index.
    FIELD_NOT_INDEXED = "field-not-indexed", 422, "The field cannot be searched or compared" / "该字段不能检索或比对",
        "This field has no blind index." / "该字段没有盲索引。";
    /// A confidential call's field.
    NOT_COMPARED = "not-compared", 422, "The field cannot be compared" / "该字段不能比对",
        "What was said in a confidential call is in no index and cannot be compared. Ask for the field itself." /
        "保密来电中的内容不进任何索引，无法比对。请直接申请查看该字段。";
    /// A field that is not given at intake.
    FIELD_NOT_AT_INTAKE = "field-not-at-intake", 422, "A field cannot be given at intake" / "受理时不能填写该字段",
        "fields.toml says which fields are given at intake." / "受理时可填写的字段见 fields.toml。";
    /// A ticket without text.
    TEXT_MISSING = "text-missing", 422, "The ticket has no text" / "工单没有内容", "A ticket needs its `text`." / "工单必须有 `text`。";
    /// A category that is not declared.
    BAD_CATEGORY = "bad-category", 422, "No such category" / "类别不存在",
        "lists.toml has the categories; `GET /v1/lists` answers with them." / "可用类别见 lists.toml，可用 `GET /v1/lists` 查询。";
    /// A channel that the city has not.
    BAD_CHANNEL = "bad-channel", 422, "No such channel" / "受理渠道不存在",
        "lists.toml has the channels; `GET /v1/lists` answers with them." / "可用渠道见 lists.toml，可用 `GET /v1/lists` 查询。";
    /// A call that has not come yet.
    RECEIVED_AHEAD = "received-ahead", 422, "The call lies ahead" / "来电时间晚于当前时间",
        "`received_at` is more than a day ahead of the vault's clock. Check its year and its unit, and the clock." /
        "`received_at` 比本库时钟晚一天以上。请检查年份、单位和时钟。";
    /// A code that is no township's.
    BAD_TOWNSHIP = "bad-township", 422, "Not a township code" / "街镇代码无效",
        "A township is a code of GB/T 2260 with 6, 9 or 12 digits. One of 12 that begins like a mobile number must be in a known county. Where lists.toml has townships, it must be one of those." /
        "街镇代码按 GB/T 2260 为 6 位、9 位或 12 位。形似手机号码的 12 位代码须属于已知的县级区划。lists.toml 列有街镇时，须为其中之一。";
    /// No department where one must be named.
    NO_DEPARTMENT = "no-department", 422, "No department is named" / "未指定部门",
        "Name the `department` that gets the ticket." / "请用 `department` 指定接收工单的部门。";
    /// A department where none may be named.
    NO_DEPARTMENT_HERE = "no-department-here", 422, "This step takes no department" / "此步骤不需要部门",
        "Leave out `department`." / "请去掉 `department`。";
    /// A department that cannot be made.
    BAD_DEPARTMENT = "bad-department", 422, "Not a department" / "部门信息无效",
        "A department has a code other than 00 and a name of 1 to 60 characters; a `city_code` has 1 to 40 characters without spaces." /
        "部门须有 00 以外的代码和 1 到 60 个字的名称；`city_code` 为 1 到 40 个字符，不含空格。";
    /// A kind of department that the city has not.
    BAD_KIND = "bad-kind", 422, "No such kind of department" / "部门类型不存在",
        "lists.toml has the kinds; `GET /v1/lists` answers with them." / "可用类型见 lists.toml，可用 `GET /v1/lists` 查询。";
    /// Lists that cannot be used.
    BAD_LISTS = "bad-lists", 422, "The lists cannot be used" / "清单无法使用",
        "lists.toml has an error, or others may write it. The program log says where. The lists stay as they were." /
        "lists.toml 有误，或他人可写。详见程序日志。清单保持原样。";
    /// A department merged into itself.
    BAD_SUCCESSOR = "bad-successor", 422, "Not a department to merge into" / "不能并入该部门",
        "A department is merged into another one that is open." / "部门只能并入另一个在用的部门。";
    /// An account that cannot be made.
    BAD_ACCOUNT = "bad-account", 422, "Not an account name" / "账号名无效",
        "An account name has 2 to 64 of a-z, 0-9, '.', '_' and '-'." / "账号名为 2 到 64 个字符：a-z、0-9、“.”、“_”、“-”。";
    /// A token's time that cannot be.
    BAD_EXPIRY = "bad-expiry", 422, "Not a time to expire" / "有效期无效",
        "`expires_in` is a number of seconds." / "`expires_in` 为秒数。";
    /// More or fewer than one of three.
    EXACTLY_ONE = "exactly-one", 422, "Name exactly one" / "只能指定其一",
        "Name exactly one of ticket, subject and actor." / "ticket、subject、actor 中只能指定一个。";
    /// Neither a name nor a department, or both.
    NAME_OR_DEPARTMENT = "exactly-one", 422, "Name exactly one" / "只能指定其一",
        "Name either the beginning of account names or a department." / "请指定账号名的开头，或指定部门，二者取其一。";
    /// Neither a value nor a ticket, or both.
    VALUE_OR_TICKET = "exactly-one", 422, "Name exactly one" / "只能指定其一",
        "Name either a field and its value, or a ticket." / "请指定字段及其值，或指定工单，二者取其一。";
    /// A value that says nothing of who it is.
    TOO_MANY_CALLERS = "too-wide", 422, "Too much at once" / "范围过大",
        "More than 50 callers have this value." / "有超过 50 位来电人具有此值。";
    /// A subject or an actor that cannot be one.
    MISTYPED = "mistyped", 422, "Mistyped" / "编号有误",
        "The subject or actor is mistyped. Take it from an entry of the log." / "subject 或 actor 有误，请从日志条目中复制。";
    /// A reference of a department where the log's own is meant.
    NO_SUBJECT = "no-subject", 422, "Not a subject of the log" / "不是日志中的对象",
        "A subject is what the log calls a caller: a reference that begins with 00." / "subject 是日志对来电人的称呼，是以 00 开头的引用号。";
    /// More reads than one answer counts.
    TOO_MANY_READS = "too-wide", 422, "Too much at once" / "范围过大",
        "There are more than a million such reads. Ask for a shorter time." / "此类读取超过一百万次，请缩短时间范围。";
    /// More entries than one report counts.
    TOO_MANY_ENTRIES = "too-wide", 422, "Too much at once" / "范围过大",
        "There are more than two million entries in these days. Ask for fewer days." / "这些天的日志超过两百万条，请减少天数。";
    /// A day whose beginning or end has no time.
    NO_SUCH_DAY = "no-such-day", 422, "Not a day of the calendar" / "日期无效",
        "The day lies at the end of the calendar, and has no end itself." / "日期在历法的尽头，没有结束时刻。";
    /// Days that no report is about.
    NO_SUCH_DAYS = "no-such-days", 422, "Not the days of a report" / "报告日期无效",
        "A report is about 1 to 31 days of the calendar." / "报告的范围为 1 到 31 个自然日。";
    /// An index in the middle of a bundle.
    NO_BUNDLE = "no-bundle", 422, "Not the end of a bundle" / "不是日志分块的边界",
        "`below` is a multiple of 256, because entries are archived and dropped in whole bundles." /
        "`below` 须为 256 的倍数，因为日志按整块归档和清除。";
    /// An index that the log has not reached.
    BEYOND_THE_LOG = "beyond-the-log", 422, "The log is shorter" / "日志没有这么长",
        "The log has fewer entries than `below`." / "日志条目数少于 `below`。";
    /// Sizes or indexes that the log does not have in this order.
    NO_SUCH_RANGE = "beyond-the-log", 422, "The log is shorter" / "日志没有这么长",
        "The index must be below the size, and the older size not above the newer." / "序号须小于日志长度，较早的长度不得大于较新的长度。";
    /// An index below which nothing is left.
    DROPPED_ALREADY = "dropped-already", 422, "Dropped before" / "已经清除",
        "These entries were dropped before. Name a higher index." / "这些条目已经清除，请指定更大的序号。";
    /// More than may be dropped while nothing else is logged.
    TOO_MANY_AT_ONCE = "too-many-at-once", 422, "Too many entries at once" / "一次清除过多",
        "Drop at most 65536 entries at a time, because nothing else is logged meanwhile. Go on from where the last one ended." /
        "一次最多清除 65536 条，因为其间不能写入其他日志。请从上次结束处继续。";
    /// Entries that must be kept longer.
    RETAINED = "retained", 422, "Not old enough" / "未到保留期限",
        "Entry {index} is younger than the retention period. Name no index above it." / "第 {index} 条日志未过保留期，请勿指定更大的序号。";
    /// A reason that cannot stay in the log.
    BAD_RESTART_REASON = "bad-restart-reason", 422, "Not a reason" / "理由不可用",
        "Give a reason of 1 to 200 characters, without personal data and with no more than six digits. It stays in the log for \
         good." /
        "理由为 1 到 200 个字，不含个人信息，数字不超过六个。理由将永久留在日志中。";
    /// An account that cannot come first after a restart.
    NOT_READMITTED = "not-to-be-readmitted", 422, "Not an account to readmit" / "不能重新启用该账号",
        "There is no active person's account of this name with the role security_admin. Name one of those that the vault has." /
        "没有名称相符、在用且具有 security_admin 角色的个人账号。请指定库中已有的账号。";
    /// A log that was cut.
    ROLLED_BACK = "rolled-back", 422, "The log was cut" / "日志被截断",
        "The witnesses have cosigned more entries than the log has: it was cut. Keep this copy as evidence and restore from a \
         backup." /
        "见证方签认的条目多于现有日志，说明日志被截断。请保留此副本作为证据，并从备份恢复。";
}
