//! The words of an error together with those of its causes.
//!
//! An error names its cause in its own words or has it as its source, never both: so nothing is said twice.

use std::error::Error;

/// What happened, from the outside in, on one line; then what to do, on lines of their own.
#[must_use]
pub fn with_causes(error: &(dyn Error + 'static)) -> String {
    let (mut what, mut remedies) = (String::new(), String::new());
    let mut next = Some(error);
    while let Some(error) = next {
        let words = error.to_string();
        let (first, rest) = words.split_once('\n').unwrap_or((&words, ""));
        if !what.is_empty() {
            what.push_str(": ");
        }
        what.push_str(first);
        for line in rest.lines() {
            remedies.push('\n');
            remedies.push_str(line);
        }
        next = error.source();
    }
    what + &remedies
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("no more paper")]
    struct Cause;

    #[derive(Debug, thiserror::Error)]
    #[error("the printer has stopped\n  open the drawer\n  fill it")]
    struct Middle(#[source] Cause);

    #[derive(Debug, thiserror::Error)]
    enum Outer {
        #[error("nothing was printed\n  try again")]
        Says(#[source] Middle),
        #[error(transparent)]
        Passes(Middle),
    }

    #[test]
    fn each_cause_is_named_once_before_what_to_do() {
        assert_eq!(
            with_causes(&Outer::Says(Middle(Cause))),
            "nothing was printed: the printer has stopped: no more paper\n  try again\n  open the drawer\n  fill it"
        );
        assert_eq!(
            with_causes(&Outer::Passes(Middle(Cause))),
            "the printer has stopped: no more paper\n  open the drawer\n  fill it"
        );
        assert_eq!(with_causes(&Cause), "no more paper");
    }
}
