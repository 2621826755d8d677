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
    /// A department that works no more.
    DEPARTMENT_CLOSED = "department-closed", 409, "The department is closed" / "部门已撤销",
        "It was closed or merged into another. `GET /v1/departments` lists those that are open." /
        "该部门已撤销或并入其他部门。`GET /v1/departments` 列出在用的部门。";
    /// A department that people work in.
    DEPARTMENT_STAFFED = "department-in-use", 409, "The department is in use" / "部门仍在使用",
        "It has active accounts. First move them to other departments or switch them off." /
        "该部门仍有在用账号，请先将其调到其他部门或停用。";
    /// A department that has tickets.
    DEPARTMENT_HOLDS = "department-in-use", 409, "The department is in use" / "部门仍在使用",
        "It holds or took tickets that are open. First close them, or return them and send them to another department." /
        "该部门仍持有或受理了未办结的工单，请先退回改派或办结。";
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
    /// It was changed since it was read.
    STALE = "stale", 412, "Changed in the meantime" / "内容已被修改",
        "Read it again, decide again, and send its current `ETag` as `If-Match`." /
        "请重新读取、重新决定，并把当前的 `ETag` 作为 `If-Match` 发送。";
}
