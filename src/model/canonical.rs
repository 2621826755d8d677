//! Canonical JSON (RFC 8785): texts that say the same have the same bytes, whatever their white space, order of names or way
//! of writing numbers and characters.

use std::fmt;

use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Number, Value};

/// Integers up to here are one number each as a double (RFC 7493 §2.2).
const LARGEST_EXACT: u64 = (1 << 53) - 1;

/// It is no JSON, or JSON that could be read in two ways (RFC 7493): a name comes twice in one object, or an integer is too
/// large for a double to hold exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a name comes twice in one object, or an integer is beyond 9007199254740991")]
pub struct NotCanonical;

/// The canonical form of a JSON text.
///
/// # Errors
/// [`NotCanonical`].
pub fn canonical(json: &[u8]) -> Result<Vec<u8>, NotCanonical> {
    let Plain(value) = serde_json::from_slice(json).map_err(|_| NotCanonical)?;
    serde_json_canonicalizer::to_vec(&value).map_err(|_| NotCanonical)
}

/// A value that can be read in one way only.
struct Plain(Value);

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        OneWay.deserialize(from).map(Self)
    }
}

/// Reads one.
#[derive(Clone, Copy)]
struct OneWay;

impl<'de> DeserializeSeed<'de> for OneWay {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for OneWay {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON that can be read in one way")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<Value, E> {
        Ok(truth.into())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
        if number > LARGEST_EXACT {
            return Err(E::custom(NotCanonical));
        }
        Ok(number.into())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Value, E> {
        if number.unsigned_abs() > LARGEST_EXACT {
            return Err(E::custom(NotCanonical));
        }
        Ok(number.into())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value, E> {
        let number = Number::from_f64(number).ok_or_else(|| E::custom(NotCanonical))?;
        Ok(Value::Number(number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = items.next_element_seed(self)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            let value = entries.next_value_seed(self)?;
            if object.insert(name, value).is_some() {
                return Err(A::Error::custom(NotCanonical));
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::{NotCanonical, canonical};

    fn same(one: &str, other: &str) {
        let [one, other] = [one, other].map(|json| canonical(json.as_bytes()).unwrap());
        assert_eq!(String::from_utf8(one).unwrap(), String::from_utf8(other).unwrap());
    }

    #[test]
    fn what_says_the_same_has_the_same_bytes() {
        same(
            r#"{"b":1,"a":[true,null]}"#,
            " {\n\"a\" : [ true , null ] , \"b\" : 1.0 }\n",
        );
        same(r#"{"text":"王é\/\n"}"#, r#"{"text":"\u738b\u00e9/\u000a"}"#);
        same("100", "1e2");
        same("-0", "0");
    }

    /// RFC 8785 §3.2.2 and §3.2.3: the examples of the standard.
    #[test]
    fn rfc_8785() {
        let json = r#"{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],
            "string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}"#;
        let canonical_form = "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],\
            \"string\":\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}";
        assert_eq!(
            String::from_utf8(canonical(json.as_bytes()).unwrap()).unwrap(),
            canonical_form
        );
        let names = r#"{"\u20ac":1,"\r":2,"\ufb33":3,"1":4,"\ud83d\ude00":5,"\u0080":6,"\u00f6":7}"#;
        let sorted = "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"ö\":7,\"€\":1,\"😀\":5,\"\u{fb33}\":3}";
        assert_eq!(String::from_utf8(canonical(names.as_bytes()).unwrap()).unwrap(), sorted);
    }

    #[test]
    fn what_differs_stays_different() {
        for (one, other) in [
            ("[1,2]", "[2,1]"),
            (r#"{"a":null}"#, "{}"),
            (r#"{"a":"1"}"#, r#"{"a":1}"#),
            (r#"{"a":"x "}"#, r#"{"a":"x"}"#),
            ("9007199254740991", "9007199254740990"),
        ] {
            assert_ne!(canonical(one.as_bytes()), canonical(other.as_bytes()), "{one} {other}");
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for json in [
            r#"{"a":1,"a":1}"#,
            r#"[{"a":{"b":1,"\u0062":2}}]"#,
            "9007199254740992",
            "-9007199254740992",
            "{\"a\":1} {}",
            "",
            "{",
            r#""\ud800""#,
        ] {
            assert_eq!(canonical(json.as_bytes()), Err(NotCanonical), "{json}");
        }
    }
}
