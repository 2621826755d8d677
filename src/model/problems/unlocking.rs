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
    /// Enough shares, and they do not open it.
    WRONG_SHARES = "wrong-shares", 403, "These shares do not open the vault" / "这些份额无法解锁保险库",
        "At least one of them is not the share that was handed out; which one cannot be told. All that were in are wiped: bring them again, \
         or others. Nothing is looked at for {wait} s. The next unlock writes the number of wrong tries into the log." /
        "至少有一个份额不是当初发放的，无法判断是哪一个。已提交的份额全部清除，请重新提交，或改用其他份额。{wait} 秒内不再核对。下次解锁时，日志会记下错误次数。";
    /// Neither a passphrase nor a share, or both.
    NOT_ONE_OPENER = "not-one-opener", 400, "Neither a passphrase, nor a share, nor a PIN" / "不是口令、份额或 PIN 之一",
        "Send one of them: `passphrase`, one `share`, or `pin`." / "请只发送其中一项：`passphrase`、一个 `share`，或 `pin`。";
    /// The check of a share does not fit.
    BAD_SHARE = "bad-share", 422, "The share was mistyped" / "份额输入有误",
        "Its check does not fit. Compare it with what was handed out, letter by letter. The shares that are in stay." /
        "校验不符。请与发放的份额逐字核对。已提交的份额不受影响。";
    /// A share of another vault.
    FOREIGN_SHARE = "foreign-share", 403, "This share is of another vault" / "这是另一个保险库的份额",
        "Check which share it is, and which server this is. The shares that are in stay." /
        "请核对份额和服务器。已提交的份额不受影响。";
    /// A share from before the holders were changed.
    OLDER_SHARE = "older-share", 403, "This share was replaced" / "这个份额已被更换",
        "It is of generation {of}, and the vault opens by generation {now}. Bring the share that was handed out last." /
        "它属于第 {of} 代，保险库现在使用第 {now} 代。请使用最后一次发放的份额。";
    /// A share of a change of holders that this key store does not have.
    NEWER_SHARE = "newer-share", 403, "The key store does not know this share yet" / "密钥库尚无这一代份额",
        "It is of generation {of}, and the key store opens by generation {now}. Either the change of holders was broken off: then the shares \
         or the passphrase from before it still open the vault. Or the key store is an older copy: restore its newest backup." /
        "它属于第 {of} 代，密钥库现为第 {now} 代。可能是更换持有人时中断，此时仍用更换前的份额或口令解锁；也可能密钥库是旧副本，请恢复最新备份。";
    /// A share of the same generation, and of another set.
    OTHER_SET = "share-of-another-set", 403, "This share is of another set" / "这个份额属于另一组",
        "It is of generation {now}, as the key store is, and was handed out in a change of holders that was broken off, or for another copy of the \
         key store. Bring a share of the set that is in force. The shares that are in stay." /
        "它与密钥库同为第 {now} 代，但发放它的那次更换中断了，或者属于密钥库的另一副本。请使用现行那一组的份额。已提交的份额不受影响。";
    /// A share that is in.
    DUPLICATE_SHARE = "duplicate-share", 409, "This share is in already" / "这个份额已经提交",
        "Share {number} is in. Bring another one." / "第 {number} 号份额已提交，请提交其他份额。";
    /// It opens by shares.
    OPENS_BY_SHARES = "opens-by-shares", 409, "This vault opens by shares" / "本保险库用份额解锁",
        "No passphrase opens it. The holders of shares bring them, each with `callervault unlock`." /
        "没有口令可用。请份额持有人各自用 `callervault unlock` 提交份额。";
    /// It opens by a hardware module.
    OPENS_BY_HSM = "opens-by-hsm", 409, "This vault opens by a hardware module" / "本保险库用硬件密码模块解锁",
        "Send the `pin` of the module, on the machine of the server: `callervault unlock --pin`." /
        "请在服务器本机上提供模块的 PIN：`callervault unlock --pin`。";
    /// The module refuses the PIN.
    WRONG_PIN = "wrong-pin", 403, "Wrong PIN" / "PIN 错误",
        "The hardware module refuses it. After a few wrong ones the module locks the PIN. The next unlock writes the number of wrong tries into \
         the log." / "硬件密码模块拒绝了该 PIN。连续输错几次，模块就会锁定 PIN。下次解锁时，日志会记下错误次数。";
    /// The module takes the PIN no more.
    PIN_LOCKED = "pin-locked", 403, "The PIN is locked" / "PIN 已被锁定",
        "There were too many wrong ones. The module's security officer unlocks it." / "错误次数过多。请由模块的安全员解除锁定。";
    /// No PIN at all.
    BAD_PIN = "bad-pin", 422, "Not a PIN" / "不是 PIN", "A PIN has 1 to 255 bytes." / "PIN 长度为 1 到 255 字节。";
    /// A PIN from elsewhere.
    PIN_FROM_NETWORK = "pin-from-network", 403, "A PIN is not taken from the network" / "不接受来自网络的 PIN",
        "It was not looked at: strangers could lock the module by wrong ones. Unlock on the machine of the server." /
        "未核对 PIN：否则他人可用错误的 PIN 锁死模块。请在服务器本机上解锁。";
    /// The server does not know the module.
    MODULE_NOT_NAMED = "module-not-named", 503, "No hardware module is named" / "未指定硬件密码模块",
        "Start the server with --pkcs11 and the path of the module's library." / "请用 --pkcs11 指定模块库文件的路径，重新启动服务。";
    /// The module does not answer.
    HSM_AWAY = "hsm-away", 503, "The hardware module is not there" / "硬件密码模块不可用",
        "It cannot be loaded or reached, or has no token of that name. The program log says more. Plug it in, then unlock again." /
        "模块无法加载或连接，或者没有该名称的令牌设备，详见程序日志。请接好后重新解锁。";
    /// The module has another key.
    HSM_KEY = "hsm-key", 503, "The hardware module has not the key" / "硬件密码模块中没有对应的密钥",
        "The key of that name is missing, is there more than once, or does not open this key store. The program log says which. Restore the key \
         in the module, or the key store." /
        "该名称的密钥不存在、不唯一，或不能打开此密钥库，详见程序日志。请恢复模块中的密钥，或恢复密钥库。";
    /// It opens by a passphrase.
    OPENS_BY_PASSPHRASE = "opens-by-passphrase", 409, "This vault opens by a passphrase" / "本保险库用口令解锁",
        "No share opens it." / "不能用份额解锁。";
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
