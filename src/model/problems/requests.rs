//! Requests that cannot be read or make no sense as they are.

use super::problems;

problems! {
    /// No token, or none that is good.
    UNAUTHENTICATED = "unauthenticated", 401, "No valid token" / "令牌无效",
        "Send `Authorization: Bearer <token>` with a token that is neither expired nor revoked." /
        "请在 `Authorization: Bearer <令牌>` 中发送未过期、未吊销的令牌。";
    /// Tickets that are to go to another record.
    SPLIT_TICKETS = "split-tickets", 422, "Invalid list of tickets" / "工单列表无效",
        "Name 1 to 5 tickets, each once. Split further tickets off with another request, then merge the new records." /
        "请填写 1 到 5 张工单，不得重复。其余工单可另行拆分，再合并新档案。";
    /// No store, or one twice.
    BACKUP_OF_NOTHING = "backup-parts", 422, "Invalid list of parts" / "备份内容无效",
        "Name `data`, `keys` or both, each once." / "请填写 `data`、`keys` 或两者，不得重复。";
    /// A field that is to go to another record and is not there.
    NOT_ON_FILE = "not-on-file", 422, "The field is not on file" / "该字段未登记",
        "The record does not have all of these fields. The caller's page lists what is on file." /
        "档案中没有其中某个字段。诉求人页面列出已登记的字段。";
    /// What identifies one person cannot be two persons'.
    IDENTITY_NOT_COPIED = "identity-not-copied", 422, "An identity number cannot be copied" / "身份号码不能复制",
        "Only one caller can have it. Choose `move`, or leave it out." / "只能属于一位诉求人。请选择 `move`，或不填。";
    /// More than one entry of the log can hold.
    TOO_MUCH_AT_ONCE = "too-much-at-once", 422, "Too much in one request" / "一次请求内容过多",
        "The fields and tickets do not fit into one log entry. Name fewer." / "字段和工单超出一条日志条目的容量，请减少数量。";
    /// No such route.
    NO_ROUTE = "no-route", 404, "No such address" / "地址不存在",
        "The addresses are in /openapi.json." / "可用地址见 /openapi.json。";
    /// No such method on this route.
    NO_METHOD = "no-method", 405, "Method not allowed" / "该地址不支持此方法",
        "The methods are in /openapi.json." / "可用方法见 /openapi.json。";
    /// What a library refused before a handler saw it.
    NOT_UNDERSTOOD = "not-understood", 400, "Invalid request" / "请求无效",
        "The addresses, methods and formats are in /openapi.json." / "地址、方法和格式见 /openapi.json。";
    /// The body says that it is something else.
    NOT_JSON = "not-json", 415, "The body is not JSON" / "请求体不是 JSON",
        "Send `Content-Type: application/json`." / "请发送 `Content-Type: application/json`。";
    /// More than a body may have.
    BODY_TOO_LARGE = "body-too-large", 413, "The body is too large" / "请求体过大",
        "A body can have at most 1 MiB, and 4 KiB without a token. Nothing was stored." / "请求体最大 1 MiB，不带令牌时为 4 KiB。未保存任何内容。";
    /// Not JSON at all.
    BAD_JSON = "bad-json", 400, "Invalid JSON" / "JSON 无效",
        "The body is not well-formed JSON at line {line}, column {column}." / "请求体第 {line} 行第 {column} 列不是合法的 JSON。";
    /// JSON and then something else.
    MORE_THAN_JSON = "bad-json", 400, "Invalid JSON" / "JSON 无效",
        "The body has more text after the JSON." / "JSON 之后还有多余内容。";
    /// JSON that two readers may understand in two ways.
    AMBIGUOUS_JSON = "bad-json", 400, "Invalid JSON" / "JSON 无效",
        "The JSON is ambiguous. Use each name once, and send large numbers as text." /
        "该 JSON 有歧义。每个名称只能出现一次，大数请以文本发送。";
    /// JSON of another shape.
    WRONG_SHAPE = "bad-json", 400, "Invalid JSON" / "JSON 无效",
        "`{at}`: {rule}. The format is in /openapi.json." / "`{at}`：{rule}。格式见 /openapi.json。";
    /// A parameter that cannot be used.
    BAD_QUERY = "bad-query", 400, "Invalid parameter" / "参数无效",
        "The parameter `{at}`: {rule}." / "参数 `{at}`：{rule}。";
    /// A parameter that the address does not have.
    UNKNOWN_PARAMETER = "bad-query", 400, "Invalid parameter" / "参数无效",
        "This address has no such parameter: {rule}." / "该地址没有此参数：{rule}。";
    /// A page that does not follow one of this list.
    BAD_CURSOR = "bad-cursor", 400, "Invalid cursor" / "翻页标记无效",
        "Send `next` of the previous page as `after`, with the same parameters." / "请把上一页的 `next` 作为 `after` 发送，其他参数不变。";
    /// An identifier whose length or check characters are wrong.
    MISTYPED_IDENTIFIER = "mistyped-identifier", 400, "Mistyped identifier" / "编号有误",
        "The {what} in the address is mistyped: its length or check characters are wrong." /
        "地址中的{what}有误：长度或校验位不对。";
    /// A reference with one wrong character. Which one is told; the reference is not repeated.
    MISTYPED_REFERENCE = "mistyped-identifier", 400, "Mistyped identifier" / "编号有误",
        "The {what} in the address is mistyped. If one character is wrong, it is number {position}, hyphens aside, and should be {character}. \
         Check it before you use it: nothing was corrected." /
        "地址中的{what}有误。如只错一个字符，应为第 {position} 个（不计连字符），正确字符为 {character}。请核对后再用，系统未作更正。";
    /// A trace mark whose check character is wrong.
    MISTYPED_MARK = "mistyped-mark", 400, "Mistyped trace mark" / "溯源标记有误",
        "A trace mark has 12 characters, and its check character must be right. Read it again from the copy." /
        "溯源标记有 12 个字符，且校验位必须正确。请对照副本重新读取。";
    /// A path that no tile has.
    NO_SUCH_TILE = "no-such-tile", 400, "Invalid tile path" / "日志分块路径无效",
        "The path must be tile/<L>/<N>[.p/<W>] or tile/entries/<N>[.p/<W>]." /
        "路径应为 tile/<L>/<N>[.p/<W>] 或 tile/entries/<N>[.p/<W>]。";
    /// A key that cannot be one.
    BAD_IDEMPOTENCY_KEY = "bad-idempotency-key", 400, "Invalid Idempotency-Key" / "Idempotency-Key 无效",
        "An Idempotency-Key has 1 to 128 visible ASCII characters." / "Idempotency-Key 为 1 到 128 个可见 ASCII 字符。";
    /// A key where answers are not kept.
    IDEMPOTENCY_NOT_SUPPORTED = "idempotency-not-supported", 400,
        "Idempotency-Key is not supported here" / "此接口不支持 Idempotency-Key",
        "Send the request without it. If an answer was lost, list what exists before you repeat the request, and revoke any token \
         that did not reach you." /
        "请去掉该标头再发送。如果未收到应答，请先列出现有内容再重试，并吊销未收到的令牌。";
    /// A key that came before with another request.
    KEY_REUSED = "idempotency-key-reused", 422,
        "The Idempotency-Key was used for another request" / "该 Idempotency-Key 已用于另一请求",
        "Use a new key for a new request." / "新的请求请使用新的 Idempotency-Key。";
    /// A reason in a header that cannot be one.
    BAD_APPROVAL_REASON = "bad-reason", 400, "Invalid reason" / "理由无效",
        "{rule}. Send the header `Approval-Reason` once, as percent-encoded UTF-8." /
        "{rule}。`Approval-Reason` 标头只能出现一次，采用 UTF-8 百分号编码。";
    /// An approval that cannot be one.
    BAD_APPROVAL = "bad-approval", 400, "Invalid approval" / "审批编号无效",
        "Send one `Approval` header with the id that you got when you asked for approval." /
        "请发送一个 `Approval` 标头，填写申请审批时得到的编号。";
    /// A header that names no account.
    BAD_ON_BEHALF_OF = "bad-on-behalf-of", 400, "Invalid On-Behalf-Of" / "On-Behalf-Of 无效",
        "Send one `On-Behalf-Of` header with an account name: 2 to 64 of `a-z`, `0-9`, `.`, `_`, `-`." /
        "请发送一个 `On-Behalf-Of` 标头，填写账号名：2 到 64 个字符，可用 `a-z`、`0-9`、`.`、`_`、`-`。";
    /// A version that cannot be one.
    BAD_IF_MATCH = "bad-if-match", 400, "Invalid ETag" / "ETag 无效",
        "Send the `ETag` of the last read." / "请发送最近一次读取时得到的 `ETag`。";
    /// No version where one must be named.
    IF_MATCH_REQUIRED = "if-match-required", 428, "If-Match is missing" / "缺少 If-Match",
        "Read it first, then send its `ETag` as `If-Match`." / "请先读取，再把 `ETag` 作为 `If-Match` 发送。";
    /// Values that break their fields' rules.
    INVALID_FIELD = "invalid-field", 422, "A value breaks its field's rule" / "有字段的值不符合规则",
        "Correct the fields named in `invalid` and send the whole request again. Nothing was stored. To take a call without these \
         fields, send `leave_out_invalid`." /
        "请更正 `invalid` 中列出的字段后重新发送全部内容。未保存任何内容。登记来电时可加 `leave_out_invalid`，略去这些字段后受理。";
    /// A field that nobody declared.
    UNKNOWN_FIELD = "unknown-field", 422, "No such field" / "字段不存在",
        "This kind of record has no such field. fields.toml lists the declared fields." /
        "该类记录没有此字段。已声明的字段见 fields.toml。";
    /// No field at all.
    NO_FIELDS = "no-fields", 422, "No field is named" / "未指定字段", "Name at least one field." / "请至少指定一个字段。";
    /// A field twice.
    REPEATED_FIELD = "repeated-field", 422, "A field is named twice" / "字段重复", "Name each field once." / "每个字段只能出现一次。";
    /// More than one entry of the log can name.
    TOO_MANY_FIELDS = "too-many-fields", 422, "Too many fields at once" / "一次请求的字段过多",
        "One log entry cannot name them all. Ask for fewer fields." / "一条日志无法记下全部字段，请减少字段。";
    /// A field without a blind index.
    FIELD_NOT_INDEXED = "field-not-indexed", 422, "The field cannot be searched or compared" / "该字段不能检索或比对",
        "This field has no blind index." / "该字段没有盲索引。";
    /// A confidential call's field.
    NOT_COMPARED = "not-compared", 422, "The field cannot be compared" / "该字段不能比对",
        "Values from a confidential call are in no index and cannot be compared. Ask for the field itself." /
        "保密来电中的内容不进任何索引，无法比对。请直接申请查看该字段。";
    /// A field that is not given at intake.
    FIELD_NOT_AT_INTAKE = "field-not-at-intake", 422, "A field cannot be given at intake" / "受理时不能填写该字段",
        "fields.toml says which fields can be given at intake." / "受理时可填写的字段见 fields.toml。";
    /// A confidential call with a caller on file.
    SAME_AS_CONFIDENTIAL = "same-as-confidential", 422, "A confidential call cannot name a caller on file" / "保密来电不能关联在册诉求人",
        "A confidential call is not linked to other calls. Leave out `same_as`." / "保密来电不与其他来电关联，请不要填写 `same_as`。";
    /// A ticket without its text.
    TEXT_MISSING = "text-missing", 422, "The ticket has no text" / "工单没有内容", "A ticket needs its `text`." / "工单必须有 `text`。";
    /// A category that is not declared.
    BAD_CATEGORY = "bad-category", 422, "No such category" / "类别不存在",
        "lists.toml has the categories. `GET /v1/lists` returns them." / "可用类别见 lists.toml，可用 `GET /v1/lists` 查询。";
    /// A channel that the city has not.
    BAD_CHANNEL = "bad-channel", 422, "No such channel" / "受理渠道不存在",
        "lists.toml has the channels. `GET /v1/lists` returns them." / "可用渠道见 lists.toml，可用 `GET /v1/lists` 查询。";
    /// A call that has not come yet.
    RECEIVED_AHEAD = "received-ahead", 422, "The call is dated in the future" / "来电时间晚于当前时间",
        "`received_at` is more than a day after the time of the vault's clock. Check its year, its unit and the clock." /
        "`received_at` 比本库时钟晚一天以上。请检查年份、单位和时钟。";
    /// A call from before there were hotlines.
    RECEIVED_BEFORE = "received-before", 422, "The call is dated before there were hotlines" / "来电时间早于热线开通",
        "`received_at` is before 1983, when the first mayor's hotline in China opened. Check its year and its unit." /
        "`received_at` 早于 1983 年，即国内首条市长热线开通的年份。请检查年份和单位。";
    /// A code that is no township's.
    BAD_TOWNSHIP = "bad-township", 422, "Invalid township code" / "街镇代码无效",
        "A township code has 6, 9 or 12 digits (GB/T 2260). A code of 12 digits that begins like a mobile \
         number must be in a known county. If lists.toml has townships, use one of them." /
        "街镇代码按 GB/T 2260 为 6 位、9 位或 12 位。形似手机号码的 12 位代码须属于已知的县级区划。lists.toml 列有街镇时，须为其中之一。";
    /// No department where one must be named.
    NO_DEPARTMENT = "no-department", 422, "No department is named" / "未指定部门",
        "Name the `department` that is to get the ticket." / "请用 `department` 指定接收工单的部门。";
    /// A department where none may be named.
    NO_DEPARTMENT_HERE = "no-department-here", 422, "This step takes no department" / "此步骤不需要部门",
        "Leave out `department`." / "请去掉 `department`。";
    /// A step without a text that it needs.
    NO_TEXT = "no-text", 422, "A text is missing" / "缺少文字说明",
        "Give the step its `reason`, or its `reply` to the caller. `GET /v1/reference` says which texts it takes." /
        "请填写 `reason`（理由）或 `reply`（对外答复）。各步骤所需的文字见 `GET /v1/reference`。";
    /// A step with a text that it does not take.
    NO_TEXT_HERE = "no-text-here", 422, "This step does not take this text" / "此步骤不接受该文字",
        "Leave out `reason` or `reply`. `GET /v1/reference` says which texts a step takes." /
        "请去掉 `reason` 或 `reply`。各步骤所需的文字见 `GET /v1/reference`。";
    /// An extension of no length.
    NO_WORKING_DAYS = "no-working-days", 422, "The length of the extension is missing" / "缺少延期天数",
        "Say in `working_days` by how many working days the deadline moves." / "请用 `working_days` 填写延期的工作日数。";
    /// A step that moves no deadline.
    NO_WORKING_DAYS_HERE = "no-working-days-here", 422, "This step takes no working days" / "此步骤不需要工作日数",
        "Leave out `working_days`. Only `grant-extension` takes it." / "请去掉 `working_days`。只有 `grant-extension` 需要。";
    /// A callback of which nothing is said, or less than all, or too much.
    NO_RESULTS = "no-results", 422, "The results of the callback are missing or do not fit" / "回访结果缺失或不相符",
        "State `results`: where `valid` is `yes`, with `contacted`, `solved` and `satisfied`; where it is `no`, alone." /
        "请填写 `results`：`valid` 为 `yes` 时须同时填写 `contacted`、`solved`、`satisfied`；为 `no` 时只填 `valid`。";
    /// A step that is no callback.
    NO_RESULTS_HERE = "no-results-here", 422, "This step takes no results" / "此步骤不需要回访结果",
        "Leave out `results`. Only `callback` takes them." / "请去掉 `results`。只有 `callback` 需要。";
    /// Sent to the department that has it.
    SAME_AGAIN = "same-again", 422, "This department has the ticket already" / "工单已在该部门",
        "Dispatch it to another department, or deny the return." / "请改派其他部门，或不同意退单。";
    /// More days than may be.
    BAD_GRACE = "bad-grace", 422, "Invalid number of days" / "天数无效",
        "`grace_days` is a number from 0 to 366." / "`grace_days` 为 0 到 366 的整数。";
    /// A person who would be given numbers as a relay.
    RELAY_IS_A_PROGRAM = "relay-is-a-program", 422, "A relay is a service account" / "转接平台须为服务账号",
        "Only a service account can have the role `relay`." / "只有服务账号可以有 `relay` 角色。";
    /// A department that cannot be made.
    BAD_DEPARTMENT = "bad-department", 422, "Invalid department" / "部门信息无效",
        "A department needs a code other than 00 and a name of 1 to 60 characters. A `city_code` has 1 to 40 characters without \
         spaces." /
        "部门须有 00 以外的代码和 1 到 60 个字的名称；`city_code` 为 1 到 40 个字符，不含空格。";
    /// A kind of department that the city has not.
    BAD_KIND = "bad-kind", 422, "No such kind of department" / "部门类型不存在",
        "lists.toml has the kinds. `GET /v1/lists` returns them." / "可用类型见 lists.toml，可用 `GET /v1/lists` 查询。";
    /// Lists that cannot be used.
    BAD_LISTS = "bad-lists", 422, "The lists cannot be used" / "清单无法使用",
        "lists.toml has an error, or other users can write it. The program log says where. The old lists stay in force." /
        "lists.toml 有误，或其他用户可写该文件。详见程序日志。原清单继续有效。";
    /// A department merged into itself.
    BAD_SUCCESSOR = "bad-successor", 422, "Cannot merge into this department" / "不能并入该部门",
        "Name another department that is open." / "部门只能并入另一个在用的部门。";
    /// An account that cannot be made.
    BAD_ACCOUNT = "bad-account", 422, "Invalid account name" / "账号名无效",
        "An account name has 2 to 64 characters: a-z, 0-9, '.', '_' and '-'." / "账号名为 2 到 64 个字符：a-z、0-9、“.”、“_”、“-”。";
    /// An account that may not act on behalf of others, whoever allows it.
    CANNOT_ACT_FOR = "cannot-act-for", 422, "The account cannot act on behalf of others" / "该账号不能设为可代办",
        "Only a service account can, and only without a role of an administrator or of one who approves." /
        "只有服务账号可以，且不得有管理类或审批类角色。";
    /// A token's time that cannot be.
    BAD_EXPIRY = "bad-expiry", 422, "Invalid expiry" / "有效期无效",
        "`expires` is a number of days or hours, such as `90d` or `12h`, or a time by RFC 3339; it lies ahead, by ten years at most." /
        "`expires` 为天数或小时数（如 `90d`、`12h`），或 RFC 3339 时间；须晚于当前时间，最长十年。";
    /// A one-time code whose check characters are wrong.
    MISTYPED_CODE = "mistyped-code", 422, "Mistyped code" / "验证码有误",
        "A code has 18 characters, and its last two must fit the others. Read it again. This try was not counted." /
        "验证码有 18 个字符，且最后两位须与其余字符相符。请重新核对。本次不计入错误次数。";
    /// A label that cannot stand in clear.
    BAD_LABEL = "bad-label", 422, "Invalid label" / "标签无效",
        "A label has 1 to 40 of a-z, 0-9, '.', '_' and '-', with at most six digits. It says what a token is for and names no person." /
        "标签为 1 到 40 个字符：a-z、0-9、“.”、“_”、“-”，数字不超过六个。标签说明令牌的用途，不含人名。";
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
    TOO_MANY_CALLERS = "too-wide", 422, "The query is too broad" / "查询范围过大",
        "More than 50 callers have this value. Use another value." / "超过 50 位诉求人有此值，请换用其他值。";
    /// More subjects than one answer looks at.
    TOO_MANY_SUBJECTS = "too-wide", 422, "The query is too broad" / "查询范围过大",
        "The caller's records were merged or split more than 200 times. Ask for one ticket." /
        "该诉求人的档案合并、拆分超过 200 次，请改按工单查询。";
    /// A subject or an actor that cannot be one.
    MISTYPED = "mistyped", 422, "Mistyped identifier" / "编号有误",
        "The subject or actor is mistyped. Copy it from an entry of the log." / "subject 或 actor 有误，请从日志条目中复制。";
    /// A reference of a department where the log's own is meant.
    NO_SUBJECT = "no-subject", 422, "Invalid subject" / "subject 无效",
        "A subject is the log's reference to a caller. It begins with 00." / "subject 是日志中诉求人的引用号，以 00 开头。";
    /// More reads than one answer counts.
    TOO_MANY_READS = "too-wide", 422, "The query is too broad" / "查询范围过大",
        "There are more than a million such reads. Ask for a shorter time." / "此类读取超过一百万次，请缩短时间范围。";
    /// More entries than one report counts.
    TOO_MANY_ENTRIES = "too-wide", 422, "The query is too broad" / "查询范围过大",
        "These days have more than two million entries. Ask for fewer days." / "这些天的日志超过两百万条，请减少天数。";
    /// A day whose beginning or end has no time.
    NO_SUCH_DAY = "no-such-day", 422, "Invalid date" / "日期无效",
        "The day is at the end of the calendar. Use another day." / "该日期处于可用历法的尽头，请换用其他日期。";
    /// Days that no report is about.
    NO_SUCH_DAYS = "no-such-days", 422, "Invalid report days" / "报告日期无效",
        "A report covers 1 to 31 days of the calendar." / "报告的范围为 1 到 31 个自然日。";
    /// An index in the middle of a bundle.
    NO_BUNDLE = "no-bundle", 422, "`below` is not a multiple of 256" / "`below` 不是 256 的倍数",
        "Use a multiple of 256, because entries are archived and dropped in whole bundles." /
        "请使用 256 的倍数，因为日志按整块归档和清除。";
    /// An index that the log has not reached.
    BEYOND_THE_LOG = "beyond-the-log", 422, "Beyond the end of the log" / "超出日志范围",
        "The log has fewer entries than `below`." / "日志条目数少于 `below`。";
    /// Sizes or indexes that the log does not have in this order.
    NO_SUCH_RANGE = "beyond-the-log", 422, "Beyond the end of the log" / "超出日志范围",
        "The index must be less than the size, and the older size must not be greater than the newer size." /
        "序号须小于日志长度，较早的长度不得大于较新的长度。";
    /// An index that the log has not reached, to be followed from.
    NOTHING_TO_FOLLOW = "beyond-the-log", 422, "Beyond the end of the log" / "超出日志范围",
        "The log has fewer entries than `from`. It may not be the log that you followed before. Begin with 0." /
        "日志条目数少于 `from`，可能不是此前跟踪的日志，请从 0 开始。";
    /// An index below which nothing is left.
    DROPPED_ALREADY = "dropped-already", 422, "Already dropped" / "已经清除",
        "These entries have already been dropped. Name a higher index." / "这些条目已经清除，请指定更大的序号。";
    /// More than may be dropped while nothing else is logged.
    TOO_MANY_AT_ONCE = "too-many-at-once", 422, "Too many entries at once" / "一次清除过多",
        "Drop at most 65536 entries at a time, because nothing else can be logged meanwhile. Continue where the last request ended." /
        "一次最多清除 65536 条，因为其间不能写入其他日志。请从上次结束处继续。";
    /// Entries that must be kept longer.
    RETAINED = "retained", 422, "Retention period not over" / "未过保留期限",
        "Entry {index} is younger than the retention period. Do not name an index above it." / "第 {index} 条日志未过保留期，请勿指定更大的序号。";
    /// A reason that cannot stay in the log.
    BAD_RESTART_REASON = "bad-restart-reason", 422, "Invalid reason" / "理由无效",
        "Give a reason of 1 to 200 characters, without personal data and with no more than six digits. It stays in the log \
         forever." /
        "理由为 1 到 200 个字，不含个人信息，数字不超过六个。理由将永久留在日志中。";
    /// An account that cannot come first after a restart.
    NOT_READMITTED = "not-to-be-readmitted", 422, "This account cannot be readmitted" / "不能重新启用该账号",
        "No active account of a person has this name and the role security_admin. Name one that has both." /
        "没有名称相符、在用且具有 security_admin 角色的个人账号。请指定库中已有的账号。";
    /// A recovery while another is under way.
    RECOVERY_UNDER_WAY = "recovery-under-way", 409, "Another recovery is under way" / "已有恢复在进行中",
        "Finish it, or end it with `callervault recover-admin cancel`." / "请先完成该恢复，或用 `callervault recover-admin cancel` 终止。";
    /// No recovery.
    NO_RECOVERY = "no-recovery", 409, "No recovery is under way" / "没有进行中的恢复",
        "It was finished or stopped, or none was begun. The log has it: `act=admin.recover`." /
        "恢复已完成、已终止或尚未开始。日志中有记录：`act=admin.recover`。";
    /// A recovery before its time.
    RECOVERY_TOO_EARLY = "recovery-too-early", 409, "Not yet" / "时间未到",
        "The delay is not over, in which others may stop the recovery. The log says from when on it may be finished." /
        "等待期未结束，其间他人可以终止恢复。可完成的时间见日志。";
    /// A recovery that the log has otherwise.
    RECOVERY_NOT_LOGGED = "recovery-not-logged", 409, "The log has it otherwise" / "与日志不符",
        "The row of the recovery is not the one that the log says was last written. Run `callervault fsck`, and cancel it." /
        "该恢复的记录与日志中最后写入的不符。请运行 `callervault fsck`，并取消该恢复。";
    /// A recovery that nobody could see.
    RECOVERY_NOT_SERVED = "recovery-not-served", 409, "The vault was not served long enough" / "服务时间不足",
        "Others see a recovery, and stop it, while the vault is served. The log must have entries of `callervault serve` that lie half of \
         the delay or more apart. Serve it; where nobody uses it, start it again before you finish." /
        "只有在服务期间，他人才能看到并终止恢复。日志中 `callervault serve` 的记录须相隔等待期的一半以上。请启动服务；如无人使用，请在完成恢复之前再启动一次。";
    /// An account that is not to be recovered.
    NOT_RECOVERED = "not-to-be-recovered", 422, "Not an account to recover" / "不能恢复该账号",
        "Name an active person's account with the role security_admin." / "请指定在用且具有 security_admin 角色的个人账号。";
    /// Two who are not those that may.
    NOT_TWO_RECOVERERS = "not-two-recoverers", 422, "These two may not do that" / "这两人无权进行此操作",
        "It takes the tokens of two persons who are auditors, system administrators or data protection officers, neither of whom made \
         the other's account." /
        "须由两人出示令牌：审计管理员、系统管理员或个保负责人，且互不为对方账号的创建人。";
    /// A delay in which nobody could stop it.
    DELAY_TOO_SHORT = "delay-too-short", 422, "The delay is too short" / "等待期过短",
        "It is at least 1h with two persons, and 72h with the passphrase alone." / "两人办理至少 1h，仅凭口令至少 72h。";
    /// A clock that cannot tell a delay.
    CLOCK_BEHIND_LOG = "clock-behind-log", 503, "The clock is behind the log" / "时钟落后于日志",
        "The newest entry of the log is younger than the clock. Set the clock right." / "最新的日志条目晚于当前时钟，请校准时钟。";
    /// A log that was cut.
    ROLLED_BACK = "rolled-back", 422, "The log was cut" / "日志被截断",
        "The witnesses have cosigned more entries than the log has, so the log was cut. Keep this copy as evidence and restore \
         from a backup." /
        "见证方签认的条目多于现有日志，说明日志被截断。请保留此副本作为证据，并从备份恢复。";
}
