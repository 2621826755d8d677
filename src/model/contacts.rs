//! Calls to a caller whose number the department does not see.

use super::word_enum::word_enum;

word_enum! {
    /// Where such a call stands.
    pub enum ContactState {
        /// The code waits for a relay.
        Waiting = "waiting": "Waiting" / "待转接",
        /// No relay has exchanged the code in time.
        Lapsed = "lapsed": "Lapsed" / "已过期",
        /// A relay puts the call through.
        Calling = "calling": "Calling" / "通话中",
        /// The relay has not reported in time.
        Unreported = "unreported": "Not reported" / "未回报",
        /// The relay has reported.
        Ended = "ended": "Ended" / "已结束",
    }
}

word_enum! {
    /// What became of a call that a relay has put through.
    pub enum ContactOutcome {
        /// The caller answered.
        Answered = "answered": "Answered" / "已接通",
        /// Nobody answered.
        NoAnswer = "no_answer": "No answer" / "无人接听",
        /// The line was engaged.
        Busy = "busy": "Engaged" / "占线",
        /// The caller did not take the call.
        Declined = "declined": "Declined" / "拒接",
        /// The number is not in service, or the telephone is off.
        Unreachable = "unreachable": "Not reachable" / "空号或关机",
        /// The relay could not put it through.
        Failed = "failed": "Failed" / "转接失败",
    }
}
