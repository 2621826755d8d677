//! Times as files have them, with an offset or without.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::TimeZone;

use crate::cli::Failure;

/// Forms without an offset that exports have.
const USUAL: [&str; 18] = [
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M",
    "%Y/%m/%d %H:%M:%S%.f",
    "%Y/%m/%d %H:%M",
    "%Y年%m月%d日 %H:%M:%S",
    "%Y年%m月%d日 %H:%M",
    "%Y年%m月%d日%H时%M分%S秒",
    "%Y年%m月%d日 %H时%M分%S秒",
    "%Y%m%d%H%M%S",
    "%Y%m%d %H:%M:%S",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d %H:%M:%S%.f %z",
    "%Y.%m.%d %H:%M:%S",
    "%Y.%m.%d %H:%M",
    "%Y年%m月%d日%H:%M:%S",
    "%Y年%m月%d日%H时%M分",
    "%Y年%m月%d日 %H时%M分",
];
const NO_OFFSET: &str =
    "a local time without an offset from UTC\n  name its zone: --zone Asia/Shanghai, or zone in the map";
const NO_TIME: &str = "not a time: write RFC 3339, as in 2026-01-05T22:41:17+08:00, or a form of `dates` in the map";
const NO_MOMENT: &str = "a local time that does not exist or exists twice in its zone, because clocks were changed";

/// How times are read.
pub(super) struct Dates {
    forms: Vec<String>,
    zone: Option<TimeZone>,
}

impl Dates {
    /// With these forms, or the usual ones where there are none.
    pub(super) fn new(forms: &[String], zone: Option<TimeZone>) -> Self {
        let forms = if forms.is_empty() {
            USUAL.map(str::to_owned).to_vec()
        } else {
            forms.to_vec()
        };
        Self { forms, zone }
    }

    /// The moment that a text states.
    pub(super) fn read(&self, text: &str) -> Result<Timestamp, &'static str> {
        let text = text.trim();
        if let Ok(moment) = text.parse() {
            return Ok(moment);
        }
        for form in &self.forms {
            let Ok(parts) = BrokenDownTime::parse(form, text) else {
                continue;
            };
            if let Ok(moment) = parts.to_timestamp() {
                return Ok(moment);
            }
            if let Ok(local) = parts.to_datetime() {
                return self.local(local);
            }
        }
        Err(NO_TIME)
    }

    /// The moment of a local time.
    pub(super) fn local(&self, local: DateTime) -> Result<Timestamp, &'static str> {
        let zone = self.zone.as_ref().ok_or(NO_OFFSET)?;
        zone.to_ambiguous_timestamp(local).unambiguous().map_err(|_| NO_MOMENT)
    }
}

/// The zone of that name or offset.
pub(super) fn zone(name: &str) -> Result<TimeZone, Failure> {
    let offset = BrokenDownTime::parse("%:z", name).ok().and_then(|parts| parts.offset());
    if let Some(offset) = offset {
        return Ok(TimeZone::fixed(offset));
    }
    let unknown = |_| Failure::usage(format!("unknown time zone {name}\n  write Asia/Shanghai or +08:00"));
    TimeZone::get(name).map_err(unknown)
}

#[cfg(test)]
mod tests {
    use super::{Dates, NO_MOMENT, NO_OFFSET, NO_TIME, zone};

    fn read(text: &str, zone_name: &str) -> Result<String, &'static str> {
        let zone = (!zone_name.is_empty()).then(|| zone(zone_name).unwrap());
        Dates::new(&[], zone).read(text).map(|moment| moment.to_string())
    }

    #[test]
    fn usual_forms_are_read_in_a_zone() {
        for text in [
            "2026-01-05 22:41:17",
            "2026-01-05T22:41:17",
            "2026-01-05 22:41:17.0",
            "2026/1/5 22:41:17",
            "2026年1月5日 22:41:17",
            "2026年01月05日22时41分17秒",
            "20260105224117",
            "20260105 22:41:17",
            "2026.01.05 22:41:17",
            "2026年1月5日22:41:17",
            " 2026-01-05 22:41:17 ",
        ] {
            for zone in ["Asia/Shanghai", "+08:00"] {
                assert_eq!(read(text, zone).as_deref(), Ok("2026-01-05T14:41:17Z"), "{text}");
            }
            assert_eq!(read(text, ""), Err(NO_OFFSET), "{text}");
        }
        for text in [
            "2026/1/5 9:05",
            "2026-01-05T09:05",
            "2026.1.5 9:05",
            "2026年1月5日9时05分",
        ] {
            assert_eq!(read(text, "+08:00").as_deref(), Ok("2026-01-05T01:05:00Z"), "{text}");
        }
    }

    #[test]
    fn an_offset_in_the_text_stands_above_the_zone() {
        for text in [
            "2026-01-05T22:41:17+08:00",
            "2026-01-05 22:41:17+08:00",
            "2026-01-05T14:41:17Z",
            "2026-01-05T22:41:17+0800",
            "2026-01-05 22:41:17 +0800",
        ] {
            assert_eq!(
                read(text, "America/New_York").as_deref(),
                Ok("2026-01-05T14:41:17Z"),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_moment_says_so() {
        for text in ["", "2026-13-05 22:41:17", "昨天", "46000", "2026-01-05"] {
            assert_eq!(read(text, "+08:00"), Err(NO_TIME), "{text}");
        }
        // Clocks in China were put forward on 4 May 1986, and back on 14 September.
        for text in ["1986-05-04 02:30:00", "1986-09-14 01:30:00"] {
            assert_eq!(read(text, "Asia/Shanghai"), Err(NO_MOMENT), "{text}");
        }
        assert!(zone("Asia/Nowhere").is_err());
    }

    #[test]
    fn forms_of_the_map_take_the_place_of_the_usual() {
        let dates = Dates::new(&["%d.%m.%Y".to_owned()], Some(zone("+08:00").unwrap()));
        assert_eq!(dates.read("05.01.2026").unwrap().to_string(), "2026-01-04T16:00:00Z");
        assert_eq!(dates.read("2026-01-05 22:41:17"), Err(NO_TIME));
    }
}
