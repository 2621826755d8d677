//! Why a vault was not unlocked.

use super::problems;

problems! {
    /// It is open.
    ALREADY_UNLOCKED = "already-unlocked", 409, "The vault is unlocked already" / "保险库已处于解锁状态",
        "Nothing was done. The passphrase was not checked." / "未作任何操作，也未核对口令。";
    /// Not the passphrase.
    WRONG_PASSPHRASE = "wrong-passphrase", 403, "Wrong passphrase" / "口令错误",
        "Check it. No passphrase is looked at for {wait} s. The next unlock writes the number of wrong ones into the log." /
        "请核对口令。{wait} 秒内不再核对任何口令。下次解锁时，日志会记下错误次数。";
    /// No passphrase at all.
    BAD_PASSPHRASE = "bad-passphrase", 422, "Not a passphrase" / "不是口令",
        "A passphrase has 12 to 1,024 bytes." / "口令长度为 12 到 1024 字节。";
    /// After a wrong one, or while another is tried.
    UNLOCK_TOO_SOON = "unlock-too-soon", 429, "The passphrase was not looked at" / "未核对口令",
        "Another one is being tried, was wrong a moment ago, or came before this one. Wait as long as `Retry-After` says, then send it \
         again: your place in the line is kept. Tries from the server itself do not wait for those from the network." /
        "另一个口令正在核对、刚刚核对有误，或排在前面。请等待 `Retry-After` 所示的时间后重新发送，排队位置会保留。在服务器本机上尝试，不受网络上的尝试影响。";
    /// Without TLS, from another machine.
    UNLOCK_IN_CLEAR = "unlock-in-clear", 403, "The passphrase came without TLS" / "口令未经 TLS 传输",
        "It was not looked at, and others on the network may have seen it. Unlock over TLS, or on the server itself." /
        "未核对口令，网络上的他人可能已看到。请通过 TLS 解锁，或在服务器本机上解锁。";
    /// Work of before the lock goes on.
    STILL_CLOSING = "still-closing", 503, "The vault is still closing" / "保险库仍在关闭",
        "Work that was begun before the vault was locked has not ended. Try again later." / "锁定前开始的工作尚未结束，请稍后再试。";
    /// Another process has a store.
    VAULT_IN_USE = "vault-in-use", 409, "Another process has the vault open" / "另一进程正在使用保险库",
        "Stop it, then unlock again: an import, a check, or another server." / "请先停止该进程（导入、检查或另一个服务），再解锁。";
    /// Anything else that is in the way of a start too.
    NOT_OPENED = "not-opened", 503, "The vault does not open" / "保险库无法打开",
        "The passphrase was not wrong, or was not looked at. The program log says what is in the way, as at a start. Tell an administrator \
         the `request_id`." /
        "不是口令错误，或口令未经核对。程序日志说明原因，与启动时相同。请把 `request_id` 告诉管理员。";
}
