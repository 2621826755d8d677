//! Places by their administrative codes.

mod counties;

use self::counties::COUNTIES;

/// A place by its administrative code: 6 digits of GB/T 2260 (county), 9 (township) or 12 (village) digits. It stands in clear, and
/// the codes of whole provinces begin like mobile numbers: where one can be read, a code of 12 digits must have the form of
/// a place in a county that there is or was.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(transparent)]
pub struct Township(String);

const MOBILE_DIGITS: usize = 11;
/// The highest number of a township in its county, and of a village in its township: 0 streets and neighbourhoods, 1 towns, 2 and 3
/// townships and villages, 4 and 5 the like (GB/T 10114).
const HIGHEST: u16 = 599;

impl Township {
    /// The place with this code, or nothing if it is not a code.
    #[must_use]
    pub fn new(code: &str) -> Option<Self> {
        let all_digits = code.bytes().all(|b| b.is_ascii_digit());
        let mobile = |part: &[u8]| matches!(part, [b'1', b'3'..=b'9', ..]);
        let good = matches!(code.len(), 6 | 9 | 12)
            && all_digits
            && is_prefecture(code.get(..2)?.parse().ok()?, code.get(2..4)?.parse().ok()?)
            && (!code.as_bytes().windows(MOBILE_DIGITS).any(mobile) || is_place(code)?);
        good.then(|| Self(code.to_owned()))
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Digits 1 and 2 name a province, 3 and 4 a prefecture: 01–20 and 51–70 cities, 21–50 regions, 90 what the province
/// governs itself, 00 the whole province (GB/T 2260).
const fn is_prefecture(province: u8, prefecture: u8) -> bool {
    matches!(province, 11..=15 | 21..=23 | 31..=37 | 41..=46 | 50..=54 | 61..=65 | 71 | 81 | 82)
        && matches!(prefecture, 0..=70 | 90)
}

/// Whether 12 digits are a place: in a county that there is or was, or a prefecture or province with zeros behind it.
fn is_place(code: &str) -> Option<bool> {
    let (county, rest) = code.split_at_checked(6)?;
    if county.ends_with("00") && rest.bytes().all(|b| b == b'0') {
        return Some(true);
    }
    let (township, village) = rest.split_at_checked(3)?;
    let numbered = |part: &str| part.parse().is_ok_and(|number: u16| number <= HIGHEST);
    Some(COUNTIES.binary_search(&county.parse().ok()?).is_ok() && numbered(township) && numbered(village))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One village of each province, and one of each prefecture in whose codes a mobile number can be read. They are public.
    const VILLAGES: [&str; 69] = [
        "110109101204",
        "120112002005",
        "130608102218",
        "141130202204",
        "150121106250",
        "210181004017",
        "220723201216",
        "230113106203",
        "310114103029",
        "321204001020",
        "330112008006",
        "341623112218",
        "350521108201",
        "360113005400",
        "370176002220",
        "411121104223",
        "420921400003",
        "430223120248",
        "440781101220",
        "450226103210",
        "469023100227",
        "500155103201",
        "510322113001",
        "520327103203",
        "530423103001",
        "540627216206",
        "611002101211",
        "620422118203",
        "632323103204",
        "640105006201",
        "652825203204",
        "130105007017",
        "130281100227",
        "130304103226",
        "130425109209",
        "130533100210",
        "130609109212",
        "130732206203",
        "130821112214",
        "130982001018",
        "131023201202",
        "131172101216",
        "140181206212",
        "140214028003",
        "140303005202",
        "140430107201",
        "140525107241",
        "140603204212",
        "140727201205",
        "140821104204",
        "140931200206",
        "141002200203",
        "141182102202",
        "150103005002",
        "150221500216",
        "150302007005",
        "150429107212",
        "150525400505",
        "150622105205",
        "150724110029",
        "150822403206",
        "150928106205",
        "152224100207",
        "152528200202",
        "152921402003",
        "419001103206",
        "513224100009",
        "513328210207",
        "513402204203",
    ];

    #[test]
    fn codes_of_12_digits_of_every_province_are_taken() {
        let provinces: std::collections::BTreeSet<_> = VILLAGES.iter().map(|code| &code[..2]).collect();
        assert_eq!(provinces.len(), 31);
        for code in VILLAGES {
            assert!(Township::new(code).is_some(), "{code}");
            assert!(
                Township::new(&code[..9]).is_some() && Township::new(&code[..6]).is_some(),
                "{code}"
            );
            let township = format!("{}000", &code[..9]);
            assert!(Township::new(&township).is_some(), "{township}");
        }
        for whole in ["130102001001", "130000000000", "140100000000", "150000000000"] {
            assert!(Township::new(whole).is_some(), "{whole}");
        }
    }

    /// Numbers spread over all mobile prefixes, with a digit more before or behind.
    #[test]
    fn a_mobile_number_with_a_digit_more_is_hardly_ever_a_place() {
        let (mut tried, mut taken) = (0_u32, 0_u32);
        for nth in 0..50_000_u64 {
            let mobile = 13_000_000_000 + nth * 7_919_993 % 7_000_000_000;
            for digit in [0, 3, 7] {
                for code in [
                    format!("{mobile}{digit}"),
                    format!("{digit}{mobile}"),
                    format!("{}{mobile}", digit + 1),
                ] {
                    tried += 1;
                    taken += u32::from(Township::new(&code).is_some());
                }
            }
        }
        assert!(taken * 100 < tried, "{taken} of {tried}");
    }

    #[test]
    fn what_is_no_place() {
        for code in [
            "139123456780",
            "130123456780",
            "013912345678",
            "13912345678",
            "130199001001",
            "130102601001",
            "130102001601",
            "991231",
            "319905",
            "３１０１１３",
            "",
            "31011",
            "130100001001",
        ] {
            assert!(Township::new(code).is_none(), "{code}");
        }
    }

    #[test]
    fn counties_are_in_order() {
        assert!(COUNTIES.is_sorted());
    }
}
