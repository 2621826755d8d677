//! Why policies were not taken.

use std::fmt;

/// A policy text that the vault does not run on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyError {
    /// The policies are not Cedar.
    Syntax(String),
    /// The schema is not a Cedar schema, or is doubtful.
    Schema(String),
    /// A policy has no `@id`, shares one, or is a template.
    Unnamed(String),
    /// The validator found an error, or had a warning.
    Refused(String),
    /// A string in this policy is no word that its attribute can have.
    Word {
        /// The policy's `@id`.
        policy: String,
        /// The string.
        word: String,
    },
    /// The schema lacks something that the vault asks about.
    Incomplete(String),
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(what) => write!(
                f,
                "the policies cannot be read: {what}\nput the text right at that place"
            ),
            Self::Schema(what) => write!(
                f,
                "the policy schema cannot be used: {what}\nput the text right at that place"
            ),
            Self::Unnamed(what) => write!(f, "{what}\ngive every policy an @id of its own, and use no templates"),
            Self::Refused(what) => write!(
                f,
                "the policies do not fit their schema: {what}\nuse the roles, actions and attributes of the schema, \
                 and remove conditions that never hold"
            ),
            Self::Word { policy, word } => write!(
                f,
                "policy {policy} has the string {word:?}, which its attribute never is\ncompare attributes by == or \
                 contains with the words that the schema lists"
            ),
            Self::Incomplete(what) => {
                write!(
                    f,
                    "the policy schema does not know what the vault asks: {what}\nadd it to the schema"
                )
            }
        }
    }
}

impl std::error::Error for PolicyError {}
