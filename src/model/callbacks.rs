//! 回访: what a caller says who is asked whether the matter is solved. Words only: nothing that could hold a person.

use serde::{Deserialize, Serialize};

use super::word_enum::word_enum;

word_enum! {
    /// Yes or no.
    pub enum YesNo {
        /// Yes.
        Yes = "yes": "Yes" / "是",
        /// No.
        No = "no": "No" / "否",
    }
}

word_enum! {
    /// 满意度: how satisfied the caller is.
    pub enum Satisfaction {
        /// 满意.
        Satisfied = "satisfied": "Satisfied" / "满意",
        /// 基本满意.
        Fairly = "fairly": "Fairly satisfied" / "基本满意",
        /// 不满意.
        Dissatisfied = "dissatisfied": "Dissatisfied" / "不满意",
    }
}

/// What came of one attempt to ask the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CallbackResults {
    /// 是否有效回访: whether the caller was reached and answered. With `no`, leave out the rest; with `yes`, state all of it.
    pub valid: YesNo,
    /// 是否联系: whether the department had got in touch with the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contacted: Option<YesNo>,
    /// 是否解决: whether the matter is solved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub solved: Option<YesNo>,
    /// 是否满意: how satisfied the caller is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub satisfied: Option<Satisfaction>,
}

impl CallbackResults {
    /// Whether it states what it must: everything of a caller who answered, and nothing else of one who did not.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        let stated = [
            self.contacted.is_some(),
            self.solved.is_some(),
            self.satisfied.is_some(),
        ];
        match self.valid {
            YesNo::Yes => matches!(stated, [true, true, true]),
            YesNo::No => matches!(stated, [false, false, false]),
        }
    }
}
