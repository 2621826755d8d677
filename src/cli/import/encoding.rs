//! Which encoding a file is in: by its name, by its mark, or by what its first bytes can be.

use encoding_rs::{Encoding, GB18030, UTF_8, UTF_16BE, UTF_16LE};
use zeroize::Zeroizing;

use crate::cli::Failure;

/// Bytes that tell a mark from a mark.
pub(super) const MARK: usize = 4;
/// In UTF-16, one character in so many is ASCII at least: commas, quotes, digits, ends of lines.
const LEAST_SPACED: usize = 8;
/// One character in so many may begin as those of Big5 do.
const MOST_ODD: usize = 4;

/// The encoding of a file that begins so, and how many bytes its mark has.
pub(super) fn found_out(first: &[u8], named: Option<&'static Encoding>) -> Result<(&'static Encoding, usize), Failure> {
    if first.starts_with(&[0xff, 0xfe, 0, 0]) || first.starts_with(&[0, 0, 0xfe, 0xff]) {
        return Err(Failure::check_failed("the file is in UTF-32\n  save it as UTF-8"));
    }
    if let Some((encoding, mark)) = Encoding::for_bom(first) {
        return match named {
            Some(other) if other != encoding => Err(Failure::usage(format!(
                "the file's byte order mark says {}, not {}\n  leave out the encoding, or name the right one",
                encoding.name(),
                other.name()
            ))),
            _ => Ok((encoding, mark)),
        };
    }
    // GB 18030 has a mark of its own.
    if first.starts_with(&[0x84, 0x31, 0x95, 0x33]) && named.is_none_or(|named| named == GB18030) {
        return Ok((GB18030, MARK));
    }
    if let Some(named) = named {
        return Ok((named, 0));
    }
    if first.contains(&0) {
        return without_mark(first).map(|encoding| (encoding, 0));
    }
    if !is_gb18030(first) {
        return Ok((UTF_8, 0));
    }
    if is_rather_big5(first) {
        return Err(Failure::check_failed(
            "the text looks like Big5; read as GB 18030 its characters would be wrong\n  give --encoding big5, or --encoding gb18030 if it is that after all; or save the file as UTF-8",
        ));
    }
    Ok((GB18030, 0))
}

/// UTF-16 by where its zero bytes are: those of ASCII characters. A few of them in what can be read as it is are no encoding.
fn without_mark(first: &[u8]) -> Result<&'static Encoding, Failure> {
    let zeros = |rest: usize| first.iter().skip(rest).step_by(2).filter(|byte| **byte == 0).count();
    // 一 has one on the other side.
    let (even, odd) = (zeros(0), zeros(1));
    let is_spaced = even.max(odd) * LEAST_SPACED > first.len() / 2;
    let is_text = is_utf8(first) || decodes(first, false);
    match () {
        () if is_text && !is_spaced => Err(Failure::check_failed(
            "the file has NUL bytes among its text\n  remove them, or name its --encoding to have the records with them refused",
        )),
        () if odd > 4 * even => Ok(UTF_16LE),
        () if even > 4 * odd => Ok(UTF_16BE),
        () => Err(Failure::check_failed(
            "the file has NUL bytes, so it is not text in UTF-8, GB 18030 or UTF-16\n  save it as UTF-8, or name its --encoding",
        )),
    }
}

/// Whether these bytes are UTF-8; the last character may be cut.
fn is_utf8(first: &[u8]) -> bool {
    std::str::from_utf8(first).map_or_else(|error| error.error_len().is_none(), |_| true)
}

/// Whether what decodes as GB 18030 is rather Big5, in which nearly half of the characters of a text begin with a byte that GB 18030 has
/// for signs (kana, Greek, frames) and rare characters.
fn is_rather_big5(first: &[u8]) -> bool {
    let (mut all, mut odd) = (0_usize, 0_usize);
    let mut bytes = first.iter().copied();
    while let Some(byte) = bytes.next() {
        if byte.is_ascii() {
            continue;
        }
        all += 1;
        odd += usize::from(matches!(byte, 0xa4..=0xaf));
        // A character of four bytes has a digit in the second place.
        if bytes.next().is_some_and(|second| second.is_ascii_digit()) {
            bytes.nth(1);
        }
    }
    odd * MOST_ODD > all
}

/// Whether lines with other than ASCII characters are rather GB 18030 than UTF-8. Short lines may be both.
fn is_gb18030(first: &[u8]) -> bool {
    let mut lines: Vec<&[u8]> = first.split(|byte| matches!(byte, b'\n' | b'\r')).collect();
    // The last may be cut anywhere, which the decoder tells from what is wrong.
    let cut = lines.pop().unwrap_or_default();
    let other = lines.iter().filter(|line| !line.is_ascii());
    let (good, bad): (Vec<&[u8]>, Vec<&[u8]>) = other.partition(|line| std::str::from_utf8(line).is_ok());
    let cut_is_bad = std::str::from_utf8(cut).is_err_and(|error| error.error_len().is_some());
    let bad_lines = bad.len() + usize::from(cut_is_bad);
    bad_lines > good.len() && bad.iter().all(|line| decodes(line, true)) && decodes(cut, false)
}

fn decodes(line: &[u8], whole: bool) -> bool {
    let mut decoder = GB18030.new_decoder_without_bom_handling();
    let mut out = Zeroizing::new(vec![0; decoder.max_utf8_buffer_length(line.len()).unwrap_or_default()]);
    let (_, _, _, errors) = decoder.decode_to_utf8(line, &mut out, whole);
    !errors
}

#[cfg(test)]
mod tests {
    use encoding_rs::{BIG5, Encoding, GB18030};

    use super::found_out;

    const SIMPLIFIED: &str = "工单编号,姓名,诉求内容\nT1,周凤兰,楼下餐吧夜里仍在扰民，希望有关部门尽快处理。\n";
    const TRADITIONAL: &str = "工單編號,姓名,訴求內容\nT1,周鳳蘭,樓下餐吧夜裡仍在擾民，希望有關部門盡快處理。\n";

    fn found(bytes: &[u8]) -> Result<&'static str, String> {
        let found = found_out(bytes, None);
        found
            .map(|(encoding, _)| encoding.name())
            .map_err(|failure| failure.words)
    }

    fn in_encoding(encoding: &'static Encoding, text: &str) -> Vec<u8> {
        encoding.encode(text).0.into_owned()
    }

    #[test]
    fn big5_is_not_read_as_gb_18030() {
        for line in TRADITIONAL.lines() {
            let words = found(&in_encoding(BIG5, &format!("{line}\n"))).unwrap_err();
            assert!(words.contains("--encoding big5"), "{words}");
        }
        let bytes = in_encoding(BIG5, TRADITIONAL);
        assert_eq!(found_out(&bytes, Some(BIG5)).unwrap().0.name(), "Big5");
        for text in [
            SIMPLIFIED,
            TRADITIONAL,
            "编号：Ⅳ①，㐀𠀀\n",
            "姓名：カタカナ商店的负责人，请尽快联系\n",
        ] {
            assert_eq!(found(&in_encoding(GB18030, text)), Ok("gb18030"), "{text}");
        }
    }

    #[test]
    fn a_few_nul_bytes_are_no_encoding() {
        for mut bytes in [
            SIMPLIFIED.as_bytes().to_vec(),
            in_encoding(GB18030, SIMPLIFIED),
            b"id,name,district\nT1,nobody,110108\n".to_vec(),
        ] {
            // At an even place and at an odd one.
            for at in [bytes.len() - 1, bytes.len()] {
                bytes.insert(at, 0);
                let words = found(&bytes).unwrap_err();
                assert!(words.contains("NUL bytes among its text"), "{words}");
                bytes.remove(at);
            }
        }
    }
}
