//! Why policies were not taken.

/// A policy text that the vault does not run on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// The policies are not Cedar.
    #[error("the policies cannot be read: {0}\n  correct the text at that place")]
    Syntax(String),
    /// The schema is not a Cedar schema, or is doubtful.
    #[error("the policy schema cannot be used: {0}\n  correct the text at that place")]
    Schema(String),
    /// A policy has no `@id`, shares one, or is a template.
    #[error("{0}\n  give every policy an @id of its own, and use no templates")]
    Unnamed(String),
    /// The validator found an error, or had a warning.
    #[error(
        "the policies do not fit their schema: {0}\n  use the roles, actions and attributes of the schema, \
                 and remove conditions that never hold"
    )]
    Refused(String),
    /// A string in this policy is no word that its attribute can have.
    #[error(
        "policy {policy} compares an attribute with the string {word:?}, which it can never have\n  compare attributes by == or \
                 contains with the words that the schema lists"
    )]
    Word {
        /// The policy's `@id`.
        policy: String,
        /// The string.
        word: String,
    },
    /// The schema lacks something that the vault asks about.
    #[error("the policy schema lacks what the vault asks about: {0}\n  add it to the schema")]
    Incomplete(String),
}
