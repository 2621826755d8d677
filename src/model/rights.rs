//! What callers may ask for about their data (PIPL art. 44 to 50), and why it may be refused.

use super::problems::Words;
use super::word_enum::word_enum;

word_enum! {
    /// What a caller asks for.
    pub enum RightsRequest {
        /// To know what is held and who has read it (art. 44, 45).
        Know = "know": "To know what is held and who has read it" / "查阅所持信息及其被查看的情况",
        /// A copy (art. 45).
        Copy = "copy": "A copy of the data" / "复制个人信息",
        /// To have wrong data put right (art. 46).
        Correct = "correct": "Correction" / "更正个人信息",
        /// To have data erased (art. 47).
        Erase = "erase": "Erasure" / "删除个人信息",
        /// To have data stored and not used (art. 44, 47).
        Restrict = "restrict": "Restriction to storage" / "限制处理个人信息",
        /// To have the rules explained (art. 48).
        Explain = "explain": "An explanation of the rules of processing" / "解释说明处理规则",
    }
}

word_enum! {
    /// Why it is refused.
    pub enum RefusalGround {
        /// The identity of who asks could not be verified.
        NotIdentified = "not-identified": "It could not be verified that the request comes from the person whom the data are about." /
            "未能核实请求人是该信息的本人。",
        /// A law demands secrecy, or telling would stand in the way of a duty by law (art. 18, 35, 45).
        Secrecy = "secrecy": "A law requires secrecy, or an answer would hinder a statutory duty." /
            "法律、行政法规规定应当保密，或者告知将妨碍本机关履行法定职责。",
        /// The period for which a law has data kept is not over (art. 47): they are stored and not used.
        MustBeKept = "must-be-kept": "The period for which a law requires the data to be kept is not over. Until then they are stored and not used." /
            "法律、行政法规规定的保存期限未届满。在此之前，除存储和采取必要的安全保护措施外，停止其他处理。",
        /// A court or an authority has required them to be kept.
        LegalHold = "legal-hold": "A court or an authority has required the data to be kept." /
            "人民法院或者有关机关要求保全该信息。",
        /// A matter of the caller's is open.
        OpenMatter = "open-matter": "A matter about which the caller called is still open, and cannot be handled without the data." /
            "诉求人的事项尚未办结，缺少该信息无法办理。",
        /// The data were checked and are right.
        Accurate = "accurate": "The data were checked and are correct." / "经核实，该信息准确无误。",
        /// Others would be disclosed.
        OfOthers = "of-others": "An answer would disclose data of another person." / "答复将泄露他人的个人信息。",
        /// There is no such data.
        NotHeld = "not-held": "No such data are held." / "未持有该信息。",
    }
}

word_enum! {
    /// What an entry of the log is to the caller whom it is about.
    pub enum EntryKind {
        /// Fields were shown.
        Shown = "shown": "Fields were shown" / "查看了字段",
        /// A value was compared with what is on file.
        Compared = "compared": "A value was checked" / "核对了字段",
        /// Something about the caller was looked at or written: a call, a step of a ticket, names of fields.
        Handled = "handled": "The matter was handled" / "办理事项",
        /// The caller's own rights: statements, restrictions, refusals.
        Rights = "rights": "The caller's rights" / "行使个人信息权利",
        /// Somebody asked, and was refused. Nothing was shown.
        Refused = "refused": "Refused, nothing was shown" / "已拒绝，未查看任何信息",
        /// What auditors and officers do. Which, the officer tells who may know.
        Other = "other": "Supervision" / "监督管理",
    }
}

/// What a caller can do about a refusal (PIPL art. 50 and 65).
pub const REMEDY: Words = Words {
    en: "If you disagree, you may ask this authority to review the decision. You may complain to the department with duties for the protection of \
         personal information (PIPL art. 65), or bring an action before a people's court (PIPL art. 50).",
    zh: "您对本决定有异议的，可以要求本机关复核；也可以依照《中华人民共和国个人信息保护法》第六十五条，向履行个人信息保护职责的部门投诉、举报，或者依照第五十条向人民法院提起诉讼。",
};
