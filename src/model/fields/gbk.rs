//! Characters that systems on GBK and GB 18030-2000 hold as private-use code points, because Unicode had no place for them yet:
//! 80 ideographs and radicals, and two letters of Pinyin. Their places now are those of GB 18030-2022.

const FIRST: u32 = 0xE815;
/// For U+E815 to U+E864, which are FE50 to FEA0 in GBK.
const PLACES: [char; 80] = [
    '⺁', '𠂇', '𠂉', '𠃌', '⺄', '㑳', '㑇', '⺈', '⺋', '龴', '㖞', '㘚', '㘎', '⺌', '⺗', '㥮', '㤘', '龵', '㧏',
    '㧟', '㩳', '㧐', '龶', '龷', '㭎', '㱮', '㳠', '⺧', '𡗗', '龸', '⺪', '䁖', '䅟', '⺮', '䌷', '⺳', '⺶', '⺷',
    '𢦏', '䎱', '䎬', '⺻', '䏝', '䓖', '䙡', '䙌', '龹', '䜣', '䜩', '䝼', '䞍', '⻊', '䥇', '䥺', '䥽', '䦂', '䦃',
    '䦅', '䦆', '䦟', '䦛', '䦷', '䦶', '龺', '𤇾', '䲣', '䲟', '䲠', '䲡', '䱷', '䲢', '䴓', '䴔', '䴕', '䴖', '䴗',
    '䴘', '䴙', '䶮', '龻',
];

/// The character in its place.
pub(super) fn placed(c: char) -> char {
    match c {
        '\u{E7C7}' => 'ḿ',
        '\u{E7C8}' => 'ǹ',
        c => u32::from(c)
            .checked_sub(FIRST)
            .and_then(|nth| PLACES.get(nth as usize))
            .copied()
            .unwrap_or(c),
    }
}

#[cfg(test)]
mod tests {
    use super::{FIRST, PLACES, placed};

    /// Six that the WHATWG's table leaves where they were. Their places are in extension B; those of GB 18030-2005 as `iconv` of
    /// glibc 2.36 has them (`printf '\xfe\x51' | iconv -f GB18030`).
    const IN_EXTENSION_B: [char; 6] = ['𠂇', '𠂉', '𠃌', '𡗗', '𢦏', '𤇾'];

    #[test]
    fn places_are_those_of_gb_18030_2022() {
        let trail = (0x50..=0x7E).chain(0x80..=0xA0);
        assert_eq!(trail.clone().count(), PLACES.len());
        for (nth, trail) in trail.enumerate() {
            let private = char::from_u32(FIRST + nth as u32).unwrap();
            let bytes = [0xFE, trail];
            let (text, ..) = encoding_rs::GB18030.decode(&bytes);
            let expected = text.chars().next().unwrap();
            if expected == private {
                assert!(IN_EXTENSION_B.contains(&placed(private)), "{nth}");
            } else {
                assert_eq!(placed(private), expected, "{nth}");
            }
        }
        for (private, bytes) in [('\u{E7C7}', [0xA8, 0xBC]), ('\u{E7C8}', [0xA8, 0xBF])] {
            let (text, ..) = encoding_rs::GB18030.decode(&bytes);
            assert_eq!(text.chars().next(), Some(placed(private)));
        }
        assert_eq!(placed('\u{E814}'), '\u{E814}');
        assert_eq!(placed('\u{E865}'), '\u{E865}');
        assert_eq!(placed('王'), '王');
    }
}
