//! Faults inside, and requests that come at a bad time. The program log has the fault's own words.

use super::problems;

problems! {
    /// The sender is held back.
    TOO_MANY_REQUESTS = "too-many-requests", 429, "Too many requests" / "请求过多",
        "You have sent, or been refused, too many requests lately. Wait as long as `Retry-After` says. An account that needs more \
         asks the operator for a higher --requests-per-minute." /
        "您近期发送或被拒绝的请求过多。请等待 `Retry-After` 所示的时间。确需更多的账号，请运维人员调高 --requests-per-minute。";
    /// The request took longer than requests may.
    TOO_SLOW = "too-slow", 503, "It took too long" / "处理超时",
        "Send the whole request at once, or try again later, with the same Idempotency-Key for a write." /
        "请一次发送完整请求，或稍后重试；写操作请使用同一 Idempotency-Key。";
    /// The index is not up to date.
    INDEX_BEHIND = "index-behind", 503, "The index of the log is being filled" / "正在建立日志索引",
        "The index has {at} of {of} entries. Try again in a while." / "索引已有 {of} 条中的 {at} 条，请稍后再试。";
    /// Nobody knows the time.
    NO_CLOCK = "no-clock", 503, "The clock is not set" / "服务器时钟未设置", "Set the server's clock." / "请设置服务器时钟。";
    /// A disk is full.
    STORAGE_FULL = "storage-full", 507, "No space left" / "存储空间不足",
        "Free some space. Nothing was written." / "请释放空间。未写入任何内容。";
    /// The key store's disk is full.
    UNFENCED = "storage-full", 507, "No space left" / "存储空间不足",
        "Free some space, also where the key store lies. Nothing was shown. The entry is in the log, so send a write again with \
         the same Idempotency-Key." /
        "请释放空间，包括密钥库所在磁盘。未显示任何内容。日志已写入，写操作请用同一 Idempotency-Key 重新发送。";
    /// The log does not answer.
    AUDIT_UNAVAILABLE = "audit-unavailable", 503, "The log is not available" / "日志不可用",
        "Nothing was shown, and nothing changed as far as you were told. Try again, with the same Idempotency-Key for a write." /
        "未显示任何内容；未收到应答的修改视为未完成。请重试，写操作请使用同一 Idempotency-Key。";
    /// The keys are wiped.
    LOCKED = "locked", 503, "The vault is locked" / "保险库已锁定",
        "An administrator must start it again with the passphrase." / "请管理员用口令重新启动。";
    /// The operating system locks no memory.
    MEMORY_NOT_LOCKED = "memory-not-locked", 503, "No memory can be locked for a key" / "无法为密钥锁定内存",
        "Nothing was opened. Raise the limit of locked memory, e.g. `ulimit -l 8192` or LimitMEMLOCK=8M." /
        "未解密任何内容。请提高锁定内存上限，例如 `ulimit -l 8192` 或 LimitMEMLOCK=8M。";
    /// The operating system gives no randomness.
    NO_RANDOMNESS = "no-randomness", 503, "The operating system gives no random bytes" / "操作系统不提供随机数",
        "Nothing was sealed. Check /dev/urandom on the server." / "未加密任何内容。请检查服务器的 /dev/urandom。";
    /// A version of a key is missing.
    NO_SUCH_KEY = "no-such-key", 500, "The keyring does not hold the key version this needs" / "密钥环中没有所需的密钥版本",
        "Nothing was opened. Restore the key store from its newest backup." / "未解密任何内容。请用最新备份恢复密钥库。";
    /// A record's key is missing.
    NO_RECORD_KEY = "no-record-key", 500, "The record has no key" / "该记录没有密钥",
        "It was erased, or the key store is older than the data store: then restore the key store's newest backup." /
        "该记录已被销毁，或密钥库旧于数据库：若为后者，请恢复密钥库的最新备份。";
    /// Something was edited or damaged.
    INTEGRITY = "integrity", 500, "Something on file is not as the vault left it" / "库中内容与写入时不符",
        "Nothing was opened. Tell an administrator the `request_id` and let them run `callervault fsck`." /
        "未解密任何内容。请把 `request_id` 告诉管理员，由管理员运行 `callervault fsck`。";
    /// A database reports a fault.
    STORE_UNAVAILABLE = "store-unavailable", 503, "The database reports a fault" / "数据库报告故障",
        "Nothing was shown. Tell an administrator the `request_id`: the program log has the database's own words." /
        "未显示任何内容。请把 `request_id` 告诉管理员，程序日志中有数据库的原文。";
    /// A fault of the program.
    INTERNAL = "internal", 500, "A fault in the program" / "程序故障", "Report it with the `request_id`." / "请附上 `request_id` 报告此问题。";
}
