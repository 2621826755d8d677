//! Entry bundles (C2SP tlog-tiles v0.1.0, "Log entries"): up to 256 entries, each after its length in two bytes, most
//! significant first. The bytes are those that were hashed; nothing here knows what they mean.

use super::TILE_WIDTH;

/// Bytes in the longest entry that a bundle can hold.
pub const MAX_ENTRY: usize = u16::MAX as usize;

/// The bundle of these entries.
///
/// # Errors
/// [`BadBundle::Count`] unless there are 1 to 256 entries; [`BadBundle::Entry`] if one is longer than [`MAX_ENTRY`].
pub fn encode_bundle(entries: &[impl AsRef<[u8]>]) -> Result<Vec<u8>, BadBundle> {
    check_count(entries.len())?;
    let mut bundle = Vec::new();
    for entry in entries.iter().map(AsRef::as_ref) {
        let length = u16::try_from(entry.len()).map_err(|_| BadBundle::Entry)?;
        bundle.extend_from_slice(&length.to_be_bytes());
        bundle.extend_from_slice(entry);
    }
    Ok(bundle)
}

/// The entries of a bundle. How many there must be is said by the path it was found at.
///
/// # Errors
/// [`BadBundle::Cut`] if it ends inside an entry or its length; [`BadBundle::Count`] unless there are 1 to 256 entries.
pub fn decode_bundle(bundle: &[u8]) -> Result<Vec<&[u8]>, BadBundle> {
    let mut entries = Vec::new();
    let mut rest = bundle;
    while !rest.is_empty() {
        let (length, after) = rest.split_first_chunk::<2>().ok_or(BadBundle::Cut)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (entry, after) = after.split_at_checked(length).ok_or(BadBundle::Cut)?;
        entries.push(entry);
        check_count(entries.len())?;
        rest = after;
    }
    if entries.is_empty() {
        Err(BadBundle::Count)
    } else {
        Ok(entries)
    }
}

/// A bundle is as wide as a tile: never empty, never above 256.
fn check_count(entries: usize) -> Result<(), BadBundle> {
    if (1..=TILE_WIDTH).contains(&entries) {
        Ok(())
    } else {
        Err(BadBundle::Count)
    }
}

/// Why something is not an entry bundle or cannot become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadBundle {
    /// No entry, or more than 256.
    #[error("an entry bundle holds 1 to 256 entries")]
    Count,
    /// An entry longer than [`MAX_ENTRY`].
    #[error("an entry is longer than 65535 bytes")]
    Entry,
    /// It ends inside an entry or its length.
    #[error("the entry bundle ends inside an entry")]
    Cut,
}
