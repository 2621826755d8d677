//! Bytes of a file as UTF-8, whichever encoding they are in. What was read is wiped when it has been handed on.

use std::io::{self, Read};

use encoding_rs::{CoderResult, Decoder, Encoding, GB18030, UTF_8};
use zeroize::{Zeroize, Zeroizing};

use super::encoding::{MARK, found_out};
use crate::cli::Failure;

const CHUNK: usize = 64 * 1024;
/// A run of so many bytes that are good UTF-8 is hardly GB 18030.
const LONGEST_CHANCE: usize = 6;
/// Stands where bytes mean nothing in their encoding.
pub(super) const REPLACEMENT: char = char::REPLACEMENT_CHARACTER;

/// A file of text on its way in.
pub(super) struct Text {
    input: Box<dyn Read + Send>,
    /// Bytes as they came, `raw_from..raw_to` of them not decoded yet.
    raw: Zeroizing<Vec<u8>>,
    raw_from: usize,
    raw_to: usize,
    /// Nothing for UTF-8, which is handed on as it is and checked line by line.
    decoder: Option<Decoder>,
    /// Decoded bytes, `from..to` of them not taken yet.
    out: Zeroizing<Vec<u8>>,
    from: usize,
    to: usize,
    ended: bool,
    encoding: &'static Encoding,
    /// Whether the line that is decoded may be UTF-8, where the file is in GB 18030.
    other: MaybeUtf8,
}

impl Text {
    /// Reads the first bytes and finds the encoding out: by name, by mark, or by what they can be.
    pub(super) fn open(mut input: Box<dyn Read + Send>, named: Option<&'static Encoding>) -> Result<Self, Failure> {
        let mut raw = Zeroizing::new(vec![0; CHUNK]);
        let mut raw_to = 0;
        // What tells the format was read apart: it comes as a piece of its own.
        while raw_to <= MARK {
            let read =
                read_some(&mut *input, raw.get_mut(raw_to..).unwrap_or_default()).map_err(Failure::unavailable)?;
            if read == 0 {
                break;
            }
            raw_to += read;
        }
        let (encoding, mark) = found_out(raw.get(..raw_to).unwrap_or_default(), named)?;
        let decoder = (encoding != UTF_8).then(|| encoding.new_decoder_without_bom_handling());
        Ok(Self {
            input,
            raw,
            raw_from: mark,
            raw_to,
            out: Zeroizing::new(vec![0; if decoder.is_some() { 2 * CHUNK } else { 0 }]),
            decoder,
            from: 0,
            to: 0,
            ended: false,
            encoding,
            other: MaybeUtf8::default(),
        })
    }

    /// The encoding in use.
    pub(super) const fn encoding(&self) -> &'static Encoding {
        self.encoding
    }

    /// The next bytes; none at the end.
    pub(super) fn fill(&mut self) -> io::Result<&[u8]> {
        if self.decoder.is_none() {
            if self.raw_from == self.raw_to {
                self.read()?;
            }
            return Ok(self.raw.get(self.raw_from..self.raw_to).unwrap_or_default());
        }
        while self.from == self.to && !self.ended {
            self.decode()?;
        }
        Ok(self.out.get(self.from..self.to).unwrap_or_default())
    }

    /// So many of them are taken, and wiped.
    pub(super) fn consume(&mut self, count: usize) {
        let (buffer, from) = match self.decoder {
            None => (&mut self.raw, &mut self.raw_from),
            Some(_) => (&mut self.out, &mut self.from),
        };
        if let Some(taken) = buffer.get_mut(*from..*from + count) {
            taken.zeroize();
            *from += count;
        }
    }

    fn read(&mut self) -> io::Result<()> {
        self.raw_from = 0;
        self.raw_to = read_some(&mut *self.input, &mut self.raw)?;
        Ok(())
    }

    fn decode(&mut self) -> io::Result<()> {
        if self.raw_from == self.raw_to {
            self.read()?;
        }
        let last = self.raw_from == self.raw_to;
        let mut source = self.raw.get_mut(self.raw_from..self.raw_to).unwrap_or_default();
        if self.encoding == GB18030 {
            if (last || source.first().is_some_and(is_line_end)) && self.other.is_utf8() {
                // As of bytes that mean nothing: what was decoded is not what was written.
                self.other = MaybeUtf8::default();
                (self.from, self.to) = (0, put_replacement(&mut self.out));
                return Ok(());
            }
            // Up to the line's end or from it: no byte of a longer character is one.
            let end = source.iter().position(is_line_end).unwrap_or(source.len());
            source = source.get_mut(..end.max(1)).unwrap_or_default();
        }
        let Some(decoder) = &mut self.decoder else {
            return Ok(());
        };
        let (result, read, written, _) = decoder.decode_to_utf8(source, &mut self.out, last);
        let taken = source.get_mut(..read).unwrap_or_default();
        self.other.pass(taken);
        taken.zeroize();
        self.raw_from += read;
        (self.from, self.to) = (0, written);
        self.ended = last && result == CoderResult::InputEmpty;
        Ok(())
    }
}

fn put_replacement(out: &mut [u8]) -> usize {
    let length = REPLACEMENT.len_utf8();
    out.get_mut(..length)
        .map_or(0, |room| REPLACEMENT.encode_utf8(room).len())
}

const fn is_line_end(byte: &u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

/// Whether a line's bytes, as far as they are no ASCII, could all be UTF-8, with a run that is too long to be so by chance.
#[derive(Default)]
struct MaybeUtf8 {
    /// Bytes that the character begun last still needs.
    needed: u8,
    broken: bool,
    run: usize,
    longest: usize,
}

impl MaybeUtf8 {
    /// Goes on through these bytes; a line's end begins another line.
    fn pass(&mut self, bytes: &[u8]) {
        for byte in bytes {
            match byte {
                b'\n' | b'\r' => *self = Self::default(),
                0x80..=0xbf if self.needed > 0 => {
                    self.needed -= 1;
                    self.run += 1;
                }
                _ if self.needed > 0 => {
                    self.broken = true;
                    self.needed = 0;
                }
                0..=0x7f => self.run = 0,
                0xc2..=0xdf => self.begin(1),
                0xe0..=0xef => self.begin(2),
                0xf0..=0xf4 => self.begin(3),
                _ => self.broken = true,
            }
            self.longest = self.longest.max(self.run);
        }
    }

    const fn begin(&mut self, needed: u8) {
        self.needed = needed;
        self.run += 1;
    }

    const fn is_utf8(&self) -> bool {
        !self.broken && self.needed == 0 && self.longest >= LONGEST_CHANCE
    }
}

fn read_some(input: &mut dyn Read, into: &mut [u8]) -> io::Result<usize> {
    loop {
        match input.read(into) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

#[cfg(test)]
mod tests {
    use encoding_rs::{Encoding, GB18030, UTF_8, UTF_16BE, UTF_16LE};

    use super::Text;

    fn read(bytes: Vec<u8>, named: Option<&'static Encoding>) -> (String, &'static Encoding) {
        let mut text = Text::open(Box::new(std::io::Cursor::new(bytes)), named).unwrap();
        let mut all = Vec::new();
        loop {
            let next = text.fill().unwrap().to_vec();
            if next.is_empty() {
                break;
            }
            // Fewer than there are, so that the rest must be kept.
            let some = next.len().div_ceil(2);
            all.extend_from_slice(&next[..some]);
            text.consume(some);
        }
        (String::from_utf8(all).unwrap(), text.encoding())
    }

    fn utf_16(text: &str, mark: bool, bytes: impl Fn(u16) -> [u8; 2]) -> Vec<u8> {
        let units = mark.then_some(0xfeff).into_iter().chain(text.encode_utf16());
        units.flat_map(bytes).collect()
    }

    const WORDS: &str = "id,姓名,受理时间\nC001,周凤兰𠮷,一到夜里仍在扰民\n";

    #[test]
    fn each_encoding_is_found_out() {
        let long = WORDS.repeat(9_000);
        let gb = GB18030.encode(&long).0.into_owned();
        let cases = [
            (long.clone().into_bytes(), UTF_8),
            ([b"\xef\xbb\xbf", long.as_bytes()].concat(), UTF_8),
            ([b"\x84\x31\x95\x33", &*gb].concat(), GB18030),
            (gb, GB18030),
            (utf_16(&long, true, u16::to_le_bytes), UTF_16LE),
            (utf_16(&long, true, u16::to_be_bytes), UTF_16BE),
            (utf_16(&long, false, u16::to_le_bytes), UTF_16LE),
            (utf_16(&long, false, u16::to_be_bytes), UTF_16BE),
        ];
        for (at, (bytes, encoding)) in cases.into_iter().enumerate() {
            let (text, found) = read(bytes, None);
            assert_eq!(found.name(), encoding.name(), "case {at}");
            assert!(text == long, "case {at}");
        }
    }

    /// A file put together of two: what is UTF-8 would come in as other characters.
    #[test]
    fn a_line_of_utf_8_in_a_file_of_gb_18030_is_no_text() {
        let long = WORDS.repeat(4_000);
        let gb = GB18030.encode(&long).0;
        // The line's end as the first byte of a piece.
        let line = "C9,周凤兰们".as_bytes();
        let short = [vec![b'a'; super::CHUNK - line.len() - 1], b"\n".to_vec()].concat();
        let cases = [
            (&*gb, b"\n".as_slice(), long.as_str()),
            (&*gb, b"\r\n", &long),
            (&*gb, b"", &long),
            (&*short, b"\n", std::str::from_utf8(&short).unwrap()),
        ];
        for (before, end, long) in cases {
            let (text, _) = read([before, line, end].concat(), Some(GB18030));
            let (good, bad) = text.split_at(long.len());
            assert!(good == long);
            assert!(bad.starts_with("C9,") && bad.trim_end().ends_with('\u{fffd}'), "{bad}");
            assert_eq!(bad.matches('\u{fffd}').count(), 1, "{bad}");
        }
    }

    #[test]
    fn one_bad_line_does_not_make_another_encoding_of_the_file() {
        let bytes = [WORDS.as_bytes(), b"\xd6\xdc\n", WORDS.as_bytes()].concat();
        let mut text = Text::open(Box::new(std::io::Cursor::new(bytes)), None).unwrap();
        assert!(!text.fill().unwrap().is_empty());
        assert_eq!(text.encoding().name(), "UTF-8");
    }

    #[test]
    fn a_file_that_cannot_be_text_has_one_message() {
        for bytes in [b"\xff\xfe\0\0{\0\0\0".to_vec(), b"\0\0\0{\0\0\0\0".to_vec()] {
            assert!(Text::open(Box::new(std::io::Cursor::new(bytes)), None).is_err());
        }
        let marked = b"\xef\xbb\xbfid".to_vec();
        assert!(Text::open(Box::new(std::io::Cursor::new(marked)), Some(GB18030)).is_err());
    }
}
