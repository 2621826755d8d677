//! Versions of a department's references (REFERENCES §2.6): which are good, until when, and with which key each is made.

use jiff::Timestamp;

use super::ids::RecordKind;
use super::reference::{DepartmentCode, Reference};

/// Most versions: a reference has four bits for its own.
const MOST: usize = 15;

/// For each version of a department's references, from 1 on, the version of the reference key that it is made with. At least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReferenceKeys {
    keys: [u8; MOST],
    count: u8,
}

impl ReferenceKeys {
    /// The first version, made with this key.
    #[must_use]
    pub fn first(key: u8) -> Self {
        let mut keys = [0; MOST];
        keys[0] = key;
        Self { keys, count: 1 }
    }

    /// With one more version, made with this key; nothing where there are 15 already.
    #[must_use]
    pub fn and(mut self, key: u8) -> Option<Self> {
        *self.keys.get_mut(usize::from(self.count))? = key;
        self.count += 1;
        Some(self)
    }

    /// A byte for each version, oldest first.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.keys[..usize::from(self.count)]
    }

    /// What [`Self::as_bytes`] has made these bytes of.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (first, others) = bytes.split_first()?;
        others.iter().try_fold(Self::first(*first), |keys, key| keys.and(*key))
    }
}

/// The references of one department, or of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReferenceVersions {
    department: DepartmentCode,
    keys: ReferenceKeys,
    grace_until: Option<Timestamp>,
}

/// Where a version of references stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The one that is given out.
    Current,
    /// The one before it, which is good until then.
    Superseded(Timestamp),
    /// It is good no more.
    Ended,
}

impl ReferenceVersions {
    /// A department's. The version before the newest is good until `grace_until`.
    #[must_use]
    pub const fn new(department: DepartmentCode, keys: ReferenceKeys, grace_until: Option<Timestamp>) -> Self {
        Self {
            department,
            keys,
            grace_until,
        }
    }

    /// The log's own. None of them ends.
    #[must_use]
    pub const fn of_log(keys: ReferenceKeys) -> Self {
        Self::new(DepartmentCode::AUDITORS, keys, None)
    }

    /// Whose.
    #[must_use]
    pub const fn department(&self) -> DepartmentCode {
        self.department
    }

    /// The version that is given out.
    #[must_use]
    pub const fn current(&self) -> u8 {
        self.keys.count
    }

    /// The version before it.
    #[must_use]
    pub const fn former(&self) -> Option<u8> {
        match self.keys.count {
            0 | 1 => None,
            count => Some(count - 1),
        }
    }

    /// Every version that there was, newest first.
    pub fn all(&self) -> impl Iterator<Item = u8> + use<> {
        (1..=self.keys.count).rev()
    }

    /// The version of the reference key that a version is made with.
    #[must_use]
    pub fn key(&self, version: u8) -> Option<u8> {
        let at = usize::from(version).checked_sub(1)?;
        self.keys.as_bytes().get(at).copied()
    }

    /// Where a reference of this department stands. A ticket's is good as long as the ticket is there: it leads to nobody by itself.
    #[must_use]
    pub fn standing(&self, reference: &Reference, now: Timestamp) -> Standing {
        let version = reference.version();
        if version >= self.current() || !self.ends(reference.kind()) {
            return Standing::Current;
        }
        match self.grace_until {
            Some(until) if Some(version) == self.former() && now < until => Standing::Superseded(until),
            _ => Standing::Ended,
        }
    }

    /// Whether the version before the newest is good.
    #[must_use]
    pub fn has_grace(&self, now: Timestamp) -> bool {
        self.former().is_some() && self.grace_until.is_some_and(|until| now < until)
    }

    /// With one more version, made with this key; nothing where there are as many as there may be.
    #[must_use]
    pub fn next(&self, key: u8) -> Option<Self> {
        let keys = self.keys.and(key)?;
        Some(Self { keys, ..*self })
    }

    /// Whether references to this kind of record end with their version.
    #[must_use]
    pub fn ends(&self, kind: RecordKind) -> bool {
        self.department != DepartmentCode::AUDITORS && kind == RecordKind::Caller
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(kind: RecordKind, version: u8) -> Reference {
        Reference::new("C1".parse().unwrap(), kind, version, 7).unwrap()
    }

    #[test]
    fn fifteen_versions_fit_and_no_more() {
        let mut keys = ReferenceKeys::first(1);
        for key in 2..=15 {
            keys = keys.and(key).unwrap();
        }
        assert_eq!(keys.and(16), None);
        assert_eq!(ReferenceKeys::from_bytes(keys.as_bytes()), Some(keys));
        assert_eq!(ReferenceKeys::from_bytes(&[]), None);
        assert_eq!(ReferenceKeys::from_bytes(&[1; 16]), None);
    }

    #[test]
    fn only_the_version_before_the_newest_has_grace_and_only_so_long() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let keys = ReferenceKeys::first(1).and(1).unwrap().and(4).unwrap();
        let versions = ReferenceVersions::new("C1".parse().unwrap(), keys, Some(at(100)));
        let standing = |version, second| versions.standing(&reference(RecordKind::Caller, version), at(second));
        assert_eq!(standing(3, 1000), Standing::Current);
        assert_eq!(standing(2, 99), Standing::Superseded(at(100)));
        assert_eq!(standing(2, 100), Standing::Ended);
        assert_eq!(standing(1, 0), Standing::Ended);
        assert_eq!(
            versions.standing(&reference(RecordKind::Ticket, 1), at(1000)),
            Standing::Current
        );
        assert_eq!(
            (versions.key(3), versions.key(0), versions.key(4)),
            (Some(4), None, None)
        );
        let without = ReferenceVersions::new("C1".parse().unwrap(), keys, None);
        assert_eq!(
            without.standing(&reference(RecordKind::Caller, 2), at(0)),
            Standing::Ended
        );
    }
}
