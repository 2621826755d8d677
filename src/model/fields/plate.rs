//! Number plates of the mainland (机动车号牌, GA 36-2018).

use super::text::{HIDDEN, folded, is_dash, is_middle_dot};
use super::value_rules::{self, Broken};

const PROVINCES: &str = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼";

/// What may stand before a plate.
const LABELS: [&str; 3] = ["车牌号码", "车牌号", "车牌"];

/// The character of a plate that people write in its traditional form.
const fn simplified(c: char) -> char {
    match c {
        '滬' => '沪',
        '雲' => '云',
        '遼' => '辽',
        '魯' => '鲁',
        '蘇' => '苏',
        '贛' => '赣',
        '晉' => '晋',
        '陝' => '陕',
        '閩' => '闽',
        '貴' => '贵',
        '粵' => '粤',
        '寧' => '宁',
        '瓊' => '琼',
        '學' => '学',
        '掛' => '挂',
        '領' => '领',
        '試' => '试',
        '應' => '应',
        c => c,
    }
}

/// Upper case, without dots, hyphens and spaces: `苏D12345`, `粤BD12345`, `使014578`, `云S0000应急`.
pub(super) fn normalise(value: &str) -> Result<String, Broken> {
    let plain = folded(value);
    let kept = plain
        .chars()
        .filter(|c| !c.is_whitespace() && !is_middle_dot(*c) && !is_dash(*c) && !matches!(c, '.' | '。' | '_' | ':'));
    let plate: String = kept.map(|c| simplified(c).to_ascii_uppercase()).collect();
    let label = LABELS.iter().find_map(|label| plate.strip_prefix(label));
    let plate = label.map(str::to_owned).unwrap_or(plate);
    let chars: Vec<char> = plate.chars().collect();
    let valid = match chars.as_slice() {
        // An embassy's: three digits of the country, three of the vehicle.
        ['使', number @ ..] => number.len() == 6 && all_digits(number),
        // Fire and rescue, since 2019.
        [province, 'X' | 'S', number @ .., '应', '急'] => {
            PROVINCES.contains(*province) && number.len() == 4 && all_digits(number)
        }
        // For driving into Hong Kong and Macao, all of Guangdong's Z.
        ['粤', 'Z', number @ .., '港' | '澳'] => number.len() == 4 && number.iter().all(|c| is_either(*c)),
        [province, office, number @ ..] => PROVINCES.contains(*province) && is_office(*office) && is_number(number),
        _ => false,
    };
    if valid { Ok(plate) } else { Err(value_rules::PLATE) }
}

/// What follows the office: five characters, or six on a new-energy vehicle (the letter first on a small one, last on
/// a large one).
fn is_number(number: &[char]) -> bool {
    match number {
        [body @ .., last] if body.len() == 4 => {
            body.iter().all(|c| is_either(*c)) && (is_either(*last) || is_use(*last))
        }
        [energy, second, rest @ ..] if number.len() == 6 && is_energy(*energy) => {
            is_either(*second) && all_digits(rest)
        }
        [body @ .., energy] if body.len() == 5 => all_digits(body) && is_energy(*energy),
        _ => false,
    }
}

/// The office that issues it; O is the police's own.
const fn is_office(c: char) -> bool {
    is_letter(c) || c == 'O'
}

const fn is_letter(c: char) -> bool {
    matches!(c, 'A'..='H' | 'J'..='N' | 'P'..='Z')
}

const fn is_either(c: char) -> bool {
    is_letter(c) || c.is_ascii_digit()
}

/// Police, training, trailer, consulate, test, beyond the usual limits.
const fn is_use(c: char) -> bool {
    matches!(c, '警' | '学' | '挂' | '领' | '试' | '超')
}

/// D, A, B, C, E for electric vehicles and F, G, H, J, K for other new-energy vehicles.
const fn is_energy(c: char) -> bool {
    matches!(c, 'A'..='H' | 'J' | 'K')
}

fn all_digits(chars: &[char]) -> bool {
    chars.iter().all(char::is_ascii_digit)
}

/// `苏D4***0`, `使******`, `云S****应急`.
pub(super) fn mask(normal: &str) -> String {
    let chars: Vec<char> = normal.chars().collect();
    match chars.as_slice() {
        ['使', hidden @ ..] => format!("使{}", "*".repeat(hidden.len())),
        [province, office, hidden @ .., '应', '急'] => format!("{province}{office}{}应急", "*".repeat(hidden.len())),
        [province, office, first, hidden @ .., last] if hidden.len() >= 3 => {
            format!("{province}{office}{first}{}{last}", "*".repeat(hidden.len()))
        }
        _ => HIDDEN.to_owned(),
    }
}
