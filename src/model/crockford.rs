//! Crockford's base 32 with two check characters: how references and trace marks are written, read aloud and typed.

use std::fmt;

/// Crockford's alphabet: no I, L, O or U. In ASCII order, so that text sorts as the values do.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The value, 0 to 31, of a character as typed: lower case is read as upper, I and L as 1, O as 0.
pub(crate) fn value_of(typed: u8) -> Option<u8> {
    let letter = match typed.to_ascii_uppercase() {
        b'I' | b'L' => b'1',
        b'O' => b'0',
        other => other,
    };
    ALPHABET
        .iter()
        .zip(0..)
        .find_map(|(&known, value)| (known == letter).then_some(value))
}

/// The character of the lowest 5 bits.
pub(crate) const fn character(value: u64) -> u8 {
    ALPHABET[(value & 31) as usize]
}

/// Reads `N` characters, with or without a hyphen between the groups of four.
pub(crate) fn values_of<const N: usize>(text: &str) -> Result<[u8; N], BadText> {
    let mut values = [0; N];
    let mut count = 0;
    let mut after_hyphen = false;
    for typed in text.bytes() {
        if typed == b'-' && count > 0 && count < N && count.is_multiple_of(4) && !after_hyphen {
            after_hyphen = true;
            continue;
        }
        let value = value_of(typed).ok_or(BadText::Character)?;
        *values.get_mut(count).ok_or(BadText::Length)? = value;
        count += 1;
        after_hyphen = false;
    }
    if count == values.len() {
        Ok(values)
    } else {
        Err(BadText::Length)
    }
}

/// Writes ASCII characters in groups of four with hyphens between.
pub(crate) fn grouped(text: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (group, characters) in text.chunks(4).enumerate() {
        let hyphen = if group == 0 { "" } else { "-" };
        write!(f, "{hyphen}{}", std::str::from_utf8(characters).unwrap_or_default())?;
    }
    Ok(())
}

/// Why a text is not written in this way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadText {
    /// Too few or too many characters, hyphens aside.
    Length,
    /// A character outside the alphabet, or a hyphen out of place.
    Character,
}

/// The two check values over values d₁…dₙ, n up to 29, in GF(32) with t⁵ + t² + 1 = 0: c₁ = Σ tⁱ·dᵢ and c₂ = Σ t²ⁱ·dᵢ.
///
/// Two wrong characters anywhere, and so any two swapped, are always found: no two columns (tⁱ, t²ⁱ) are proportional.
pub(crate) fn check_values(payload: &[u8]) -> [u8; 2] {
    let (mut c1, mut c2, mut power) = (0, 0, 1);
    for &value in payload {
        power = multiply(power, 2);
        c1 ^= multiply(power, value);
        c2 ^= multiply(multiply(power, power), value);
    }
    [c1, c2]
}

/// Where one character is wrong, and what it should be: with two check values there is one answer at most. `None` where nothing, or more than
/// one character, is wrong.
pub(crate) fn one_wrong<const N: usize>(values: &[u8; N]) -> Option<(usize, u8)> {
    let holds = |values: &[u8; N]| {
        let (payload, check) = values.split_at(N - 2);
        check == check_values(payload)
    };
    if holds(values) {
        return None;
    }
    let single = (0..N).flat_map(|position| (0..32).map(move |value| (position, value)));
    single.into_iter().find(|&(position, value)| {
        let mut tried = *values;
        tried[position] = value;
        holds(&tried)
    })
}

/// The product in GF(32), elements as polynomials in t, bit i for tⁱ; so t is 2.
fn multiply(a: u8, b: u8) -> u8 {
    let (mut product, mut shifted) = (0, a);
    for bit in 0..5 {
        if b >> bit & 1 == 1 {
            product ^= shifted;
        }
        shifted <<= 1;
        if shifted & 0b10_0000 != 0 {
            shifted ^= 0b10_0101;
        }
    }
    product
}
