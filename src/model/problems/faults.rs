//! Faults inside, and requests that come at a bad time. The program log has the fault's own words.

use super::problems;

problems! {
    /// The sender is held back.
    TOO_MANY_REQUESTS = "too-many-requests", 429, "Too many requests" / "请求过多",
        "You have sent too many requests, or too many of them were refused. Wait as long as `Retry-After` says. If you need more, ask \
         the operator for a higher --requests-per-minute." /
        "您近期发送或被拒绝的请求过多。请等待 `Retry-After` 所示的时间。确需更多时，请运维人员调高 --requests-per-minute。";
    /// The request took longer than requests may.
    TOO_SLOW = "too-slow", 503, "The request timed out" / "处理超时",
        "Send the whole request at once, or try again later. For a write, use the same Idempotency-Key." /
        "请一次发送完整请求，或稍后重试；写操作请使用同一 Idempotency-Key。";
    /// The index is not up to date.
    INDEX_BEHIND = "index-behind", 503, "The index of the log is being built" / "正在建立日志索引",
        "The index has {at} of {of} entries. Try again later." / "索引已完成 {at}/{of} 条，请稍后再试。";
    /// Nobody knows the time.
    NO_CLOCK = "no-clock", 503, "The clock is not set" / "服务器时钟未设置", "Set the server's clock." / "请设置服务器时钟。";
    /// A disk is full.
    STORAGE_FULL = "storage-full", 507, "No space left" / "存储空间不足",
        "Free some disk space. Nothing was written." / "请释放磁盘空间。未写入任何内容。";
    /// The key store's disk is full.
    UNFENCED = "storage-full", 507, "No space left" / "存储空间不足",
        "Free some disk space, also for the key store. Nothing was shown. The entry is in the log. Send a write again with the same \
         Idempotency-Key." /
        "请释放磁盘空间，包括密钥库所在磁盘。未显示任何内容。日志已写入，写操作请用同一 Idempotency-Key 重新发送。";
    /// The log does not answer.
    AUDIT_UNAVAILABLE = "audit-unavailable", 503, "The log is not available" / "日志不可用",
        "Nothing was shown. Treat a change without an answer as not made. Try again. For a write, use the same Idempotency-Key." /
        "未显示任何内容；未收到应答的修改视为未完成。请重试，写操作请使用同一 Idempotency-Key。";
    /// The keys are wiped.
    LOCKED = "locked", 503, "The vault is locked" / "保险库已锁定",
        "Unlock it with the passphrase, shares or PIN: `callervault unlock`, or POST /v1/keys/unlock." /
        "请用口令、份额或 PIN 解锁：`callervault unlock`，或 POST /v1/keys/unlock。";
    /// The operating system locks no memory.
    MEMORY_NOT_LOCKED = "memory-not-locked", 503, "Memory for a key cannot be locked" / "无法锁定存放密钥的内存",
        "Nothing was decrypted. Raise the limit of locked memory, e.g. `ulimit -l 8192` or LimitMEMLOCK=8M." /
        "未解密任何内容。请提高锁定内存上限，例如 `ulimit -l 8192` 或 LimitMEMLOCK=8M。";
    /// The operating system gives no randomness.
    NO_RANDOMNESS = "no-randomness", 503, "The operating system gives no random bytes" / "无法从操作系统获得随机数",
        "Nothing was encrypted. Check /dev/urandom on the server." / "未加密任何内容。请检查服务器的 /dev/urandom。";
    /// A version of a key is missing.
    NO_SUCH_KEY = "no-such-key", 500, "A key version is missing" / "缺少所需版本的密钥",
        "Nothing was decrypted. Restore the key store from its newest backup." / "未解密任何内容。请用最新备份恢复密钥库。";
    /// A record's key is missing.
    NO_RECORD_KEY = "no-record-key", 500, "The record has no key" / "该记录没有密钥",
        "The record was erased, or the key store is older than the data store. If the key store is older, restore its newest backup." /
        "该记录已被销毁，或密钥库比数据库旧。如密钥库较旧，请恢复其最新备份。";
    /// A key has had every version that there can be.
    NO_VERSION_LEFT = "no-version-left", 409, "The key can have no further version" / "该密钥不能再有新版本",
        "A key can have 255 versions. Move the records to a new vault." / "每种密钥最多 255 个版本。请把记录迁移到新库。";
    /// The version of a key with which everything new is made.
    KEY_IN_USE = "key-in-use", 409, "The key version is in use" / "该密钥版本仍在使用",
        "Everything new is made with it. Rotate the key, then rewrap, then destroy this version." /
        "新内容正使用该版本。请先轮换该密钥，再换用最新密钥，然后销毁此版本。";
    /// Something was made with a version of a key, and is still there.
    KEY_NEEDED = "key-in-use", 409, "The key version is in use" / "该密钥版本仍在使用",
        "Values are still under it. Run `callervault keys rewrap`; `callervault keys list` then says what is left." /
        "仍有内容使用该版本。请运行 `callervault keys rewrap`，再用 `callervault keys list` 查看剩余内容。";
    /// Departments hold references that were made with a version of the reference key.
    KEY_OF_REFERENCES = "key-in-use", 409, "The key version is in use" / "该密钥版本仍在使用",
        "References that departments hold were made with it. They stay the same, so it is kept." /
        "各部门持有的引用号由该版本生成，保持不变，因此须保留该版本。";
    /// Older checkpoints are checked with the public half of a log key.
    KEY_OF_CHECKPOINTS = "key-in-use", 409, "The key version is in use" / "该密钥版本仍在使用",
        "Checkpoints of the log are checked with its public half, which is computed from it. It is kept." /
        "日志检查点须用其公钥核验，而公钥由该密钥算出，因此须保留。";
    /// Nothing moves from one log key to another.
    NOTHING_TO_REWRAP = "nothing-to-rewrap", 422, "Nothing is under this key" / "没有内容使用该密钥",
        "The log key signs, and signatures stay. Choose `kek`, `row`, `index` or `reference`." /
        "日志密钥只用于签名，签名保持不变。请选择 `kek`、`row`、`index` 或 `reference`。";
    /// Somebody else's backup.
    BACKUP_UNDER_WAY = "backup-under-way", 409, "Another backup is under way" / "另一份备份正在进行",
        "Another administrator makes or fetches a backup. Wait until it is fetched, or ten minutes after its last request." /
        "另一位管理员正在制作或取走备份。请待其取完，或待其最后一次请求十分钟后再试。";
    /// Something was edited or damaged.
    INTEGRITY = "integrity", 500, "Stored data was changed or damaged" / "库中数据被改动或损坏",
        "Nothing was decrypted. Tell an administrator the `request_id`. The administrator runs `callervault fsck`." /
        "未解密任何内容。请把 `request_id` 告诉管理员，由管理员运行 `callervault fsck`。";
    /// A database reports a fault.
    STORE_UNAVAILABLE = "store-unavailable", 503, "Database error" / "数据库出错",
        "Nothing was shown. Tell an administrator the `request_id`. The program log has the database's message." /
        "未显示任何内容。请把 `request_id` 告诉管理员，程序日志中有数据库的报错信息。";
    /// A fault of the program.
    INTERNAL = "internal", 500, "Internal error" / "程序内部错误", "Report this error with its `request_id`." / "请附上 `request_id` 报告此问题。";
}
