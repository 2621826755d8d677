//! What blind indexes hold of a value: not the text that is kept, but a fold of it, by which values that mean the same are
//! found. A value may have a second entry for what it shares with others that it may mean: a number behind a switchboard has
//! one for the switchboard.

use super::Field;
use crate::model::submitted::Submitted;

/// What one blind index holds of a value.
pub struct Indexed {
    /// The index. That of second entries has the declared index's name and `.alike`, which no declared name can have.
    pub index: String,
    /// What equal values have in common.
    pub value: Submitted,
}

impl Field {
    /// The entry that stands for a value in normal form. `None`: the field has no index.
    #[must_use]
    pub fn indexed(&self, normal: &Submitted) -> Option<Indexed> {
        Some(Indexed {
            index: self.index()?.to_owned(),
            value: Submitted::new(self.rules.fold(normal.expose())),
        })
    }

    /// Every entry of a value: the one that stands for it, and one for what it shares with others, if it does.
    #[must_use]
    pub fn entries(&self, normal: &Submitted) -> Vec<Indexed> {
        let shared = self.rules.shared(normal.expose());
        let second = shared.and_then(|shared| self.second(shared));
        self.indexed(normal).into_iter().chain(second).collect()
    }

    /// Where the values stand that it may mean, but that are not equal: on entries of their own, and on second ones.
    #[must_use]
    pub fn alike(&self, normal: &Submitted) -> Vec<Indexed> {
        if !self.rules.kind.shares() {
            return Vec::new();
        }
        let shared = self.rules.shared(normal.expose());
        let itself = shared.as_ref().and_then(|shared| {
            Some(Indexed {
                index: self.index()?.to_owned(),
                value: Submitted::new(shared.clone()),
            })
        });
        let shared = shared.unwrap_or_else(|| self.rules.fold(normal.expose()));
        itself.into_iter().chain(self.second(shared)).collect()
    }

    fn second(&self, shared: String) -> Option<Indexed> {
        Some(Indexed {
            index: format!("{}.alike", self.index()?),
            value: Submitted::new(shared),
        })
    }
}
