//! The form nearly every leaf has, told at a fraction of what a JSON parser takes: RFC 8785's order of keys, strings
//! without escapes. What is not of this form may be a leaf all the same: the parser decides.

/// The keys in their order, and whether every leaf has them.
const KEYS: [(&[u8], bool); 21] = [
    (b"act", true),
    (b"actor", true),
    (b"approver", false),
    (b"dept", true),
    (b"digest", false),
    (b"fields", false),
    (b"form", false),
    (b"id", true),
    (b"link", false),
    (b"node", true),
    (b"out", true),
    (b"policy", true),
    (b"purpose", true),
    (b"req", true),
    (b"role", false),
    (b"subject", false),
    (b"t", true),
    (b"ticket", false),
    (b"token", false),
    (b"v", true),
    (b"why", false),
];

/// Whether an entry has the keys of a leaf, each once, and values of the plain form. Never so for what the parser refuses.
pub(super) fn is_plain(entry: &[u8]) -> bool {
    object(entry).is_some()
}

fn object(entry: &[u8]) -> Option<()> {
    let mut rest = entry.strip_prefix(b"{")?;
    let mut keys = KEYS.iter();
    loop {
        let (name, after) = string(rest)?;
        // Each key is passed once, so none comes twice.
        loop {
            match keys.next()? {
                (key, _) if *key == name => break,
                (_, true) => return None,
                (_, false) => {}
            }
        }
        rest = value(after.strip_prefix(b":")?)?;
        match rest.split_first()? {
            (b',', after) => rest = after,
            (b'}', []) => return keys.all(|(_, always)| !always).then_some(()),
            _ => return None,
        }
    }
}

/// What follows a string, a digit, a list of strings, or strings by name.
fn value(rest: &[u8]) -> Option<&[u8]> {
    match rest.split_first()? {
        (b'"', _) => string(rest).map(|(_, rest)| rest),
        (b'1'..=b'9', after) => Some(after),
        (b'[', list) => several(list, b']', |rest| string(rest).map(|(_, rest)| rest)),
        (b'{', map) => several(map, b'}', |rest| {
            string(string(rest)?.1.strip_prefix(b":")?).map(|(_, rest)| rest)
        }),
        _ => None,
    }
}

/// What follows one or more, with commas between, up to an end.
fn several<'e>(mut rest: &'e [u8], end: u8, one: impl Fn(&'e [u8]) -> Option<&'e [u8]>) -> Option<&'e [u8]> {
    loop {
        match one(rest)?.split_first()? {
            (b',', after) => rest = after,
            (byte, after) if *byte == end => return Some(after),
            _ => return None,
        }
    }
}

/// A string without escapes, and what follows it.
fn string(rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = rest.strip_prefix(b"\"")?;
    let start = plain_words(rest);
    let special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..b' ');
    let end = start + rest.get(start..)?.iter().position(special)?;
    let (text, rest) = rest.split_at_checked(end)?;
    Some((text, rest.strip_prefix(b"\"")?))
}

/// How far a string surely goes on, eight bytes at a time.
fn plain_words(rest: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES << 7;
    // Not zero if a byte is below the bound, 128 at most.
    let below = |word: u64, bound: u8| word.wrapping_sub(ONES * u64::from(bound)) & !word & HIGH;
    let is = |word: u64, byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    let plain = |word: u64| is(word, b'"') | is(word, b'\\') | below(word, b' ') == 0;
    let words = rest.as_chunks::<8>().0.iter();
    words.take_while(|word| plain(u64::from_le_bytes(**word))).count() * 8
}

#[cfg(test)]
mod tests {
    use super::super::walk::is_leaf;
    use super::is_plain;

    const LEAVES: [&str; 2] = [
        r#"{"act":"field.reveal","actor":"8b1a9953c4611296a827abf8c47804d7","dept":"C1","fields":["name","text"],"form":"masked","id":"0198a3c4-0000-7000-8000-000000000001","node":"node-1","out":"granted","policy":"q5HG0xL6b8lVJz3m2yZ0tA==","purpose":"handle","req":"8b1a","role":"handler","subject":"00C1","t":"2026-02-01T00:00:00.000Z","ticket":"26000000000001","token":"8b","v":1}"#,
        r#"{"act":"intake","actor":"8b","approver":"x","dept":"C1","digest":{"@caller":"aaa=","@ticket":"bbb"},"id":"01","link":{"a":"b"},"node":"n","out":"denied","policy":"q","purpose":"p","req":"r","t":"t","v":1,"why":"no"}"#,
    ];
    const BYTES: &[u8] = b"\"\\{}[]:,01 nulltruea\x01\xffeE.-+v";

    /// Leaves with one to three edits: what is plain is always what the parser takes too.
    #[test]
    fn nothing_is_plain_that_the_parser_refuses() {
        assert!(LEAVES.iter().all(|leaf| is_plain(leaf.as_bytes())));
        let mut state = 88_172_645_463_325_252_u64;
        let mut below = |bound: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % bound as u64) as usize
        };
        let mut plain = 0;
        for round in 0..200_000 {
            let mut entry = LEAVES[round % 2].as_bytes().to_vec();
            for _ in 0..=below(3) {
                let (at, byte) = (below(entry.len()), BYTES[below(BYTES.len())]);
                let end = (at + 1 + below(40)).min(entry.len());
                match below(5) {
                    0 => entry[at] = byte,
                    1 => entry.insert(at, byte),
                    2 => drop(entry.remove(at)),
                    3 => drop(entry.drain(at..end)),
                    _ => {
                        let part = entry[at..end].to_vec();
                        let to = below(entry.len());
                        entry.splice(to..to, part);
                    }
                }
                if entry.is_empty() {
                    entry.push(b'{');
                }
            }
            if is_plain(&entry) {
                plain += 1;
                assert!(is_leaf(&entry), "{}", String::from_utf8_lossy(&entry));
            }
        }
        assert!(plain > 10_000);
    }
}
