//! JSON from a provider, read with tolerance and wiped after use.
//!
//! None of the providers publishes a schema of its answers, so a decoder asks for a value under several names and
//! takes what is there; a value of a surprising type is as if it were absent, and never an error by itself. The tree
//! is of this crate's own because an answer may hold the code of a print-on-receipt card (law L11): every text is
//! wiped when the tree goes, and there is no `Debug` that could show one. Numbers keep their decimal text; money never
//! goes through binary arithmetic here.
//!
//! Bounds: the bytes are bounded by the reader of the body, the depth by `serde_json` (128 levels), and by 16 levels where
//! numbers are read exactly.
//!
//! Absent: serialising. What is sent is written by typed structures, because its bytes are signed and journaled.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

/// How many levels an exactly read answer may have. Each level is read once more for the one around it, so few are allowed;
/// no provider's answer has more than five.
const EXACT_LEVELS: usize = 16;

/// A value of an answer.
pub enum Node {
    /// Nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number as decimal text.
    Number(String),
    /// A text; wiped when dropped.
    Text(Zeroizing<String>),
    /// An array.
    List(Vec<Node>),
    /// An object, in the order of the answer; of two equal names the first counts.
    Map(Vec<(String, Node)>),
}

impl Node {
    /// Reads one whole JSON text; `None` if it is none, or if something follows it.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// The same, with every number exactly as it was written: `1e2` stays `1e2`, and twenty digits stay twenty. [`Node::read`]
    /// takes numbers through a binary float, which is no harm to a provider that writes its amounts as text.
    pub fn read_exactly(bytes: &[u8]) -> Option<Self> {
        Self::exact(serde_json::from_slice(bytes).ok()?, EXACT_LEVELS)
    }

    fn exact(raw: &RawValue, levels: usize) -> Option<Self> {
        let (text, levels) = (raw.get(), levels.checked_sub(1)?);
        Some(match text.bytes().next()? {
            b'{' => {
                let Raws(entries) = serde_json::from_str(text).ok()?;
                let exact = |(name, raw)| Some((name, Self::exact(raw, levels)?));
                Self::Map(entries.into_iter().map(exact).collect::<Option<_>>()?)
            }
            b'[' => {
                let elements: Vec<&RawValue> = serde_json::from_str(text).ok()?;
                Self::List(elements.into_iter().map(|raw| Self::exact(raw, levels)).collect::<Option<_>>()?)
            }
            b'-' | b'0'..=b'9' => Self::Number(text.to_owned()),
            _ => serde_json::from_str(text).ok()?,
        })
    }

    /// The value of a name, if this is an object and the value is not null.
    pub fn get(&self, name: &str) -> Option<&Self> {
        let Self::Map(entries) = self else { return None };
        let (_, value) = entries.iter().find(|(key, _)| key == name)?;
        (!matches!(value, Self::Null)).then_some(value)
    }

    /// The value of the first of `names` that is there.
    pub fn first(&self, names: &[&str]) -> Option<&Self> {
        names.iter().find_map(|name| self.get(name))
    }

    /// The text, if this is one.
    pub fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text.as_str()) } else { None }
    }

    /// A text, or a number as text: for names and amounts, which come as either.
    pub fn word(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Text(text) => Some(Cow::Borrowed(text.as_str())),
            Self::Number(number) => Some(Cow::Borrowed(number.as_str())),
            _ => None,
        }
    }

    /// The elements, if this is an array.
    pub fn list(&self) -> Option<&[Self]> {
        if let Self::List(elements) = self { Some(elements) } else { None }
    }

    /// Whether this is an object.
    pub fn is_map(&self) -> bool {
        matches!(self, Self::Map(_))
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

/// The entries of an object, each value still as its text.
struct Raws<'de>(Vec<(String, &'de RawValue)>);

impl<'de> Deserialize<'de> for Raws<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(RawsVisitor)
    }
}

struct RawsVisitor;

impl<'de> Visitor<'de> for RawsVisitor {
    type Value = Raws<'de>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Raws<'de>, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Raws(map))
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Number(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Number(value.to_string()))
    }

    // The shortest text that reads back as the same number: "19.99" stays "19.99".
    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Number(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(Zeroizing::new(value.to_owned())))
    }

    fn visit_string<E>(self, value: String) -> Result<Node, E> {
        Ok(Node::Text(Zeroizing::new(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = elements.next_element()? {
            list.push(element);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Node::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_found_under_any_of_its_names_and_null_is_absence() {
        let node = Node::read(br#"{"id":null,"order_id":"o1","amount":19.99,"n":7,"id2":1}"#).unwrap();
        assert!(node.get("id").is_none());
        assert_eq!(node.first(&["id", "order_id"]).and_then(Node::text), Some("o1"));
        assert_eq!(node.get("amount").and_then(Node::word).as_deref(), Some("19.99"));
        assert_eq!(node.get("n").and_then(Node::word).as_deref(), Some("7"));
    }

    #[test]
    fn what_is_not_one_whole_json_text_is_nothing() {
        let deep = "[".repeat(100_000);
        for text in ["", "{", "{} {}", "<html>", deep.as_str(), "{\"a\":\"", "nul"] {
            assert!(Node::read(text.as_bytes()).is_none(), "{text:.20}");
        }
        assert!(Node::read(b"{\"a\":\"\xff\"}").is_none());
    }

    #[test]
    fn a_number_that_is_read_exactly_keeps_every_character() {
        for number in [
            "50.00",
            "5e1",
            "1.234E+1",
            "-0.0",
            "0",
            "100.000000000000004",
            "12345678901234567890.12345678901",
        ] {
            let text = format!(" {{ \"a\" : [ {number} ], \"b\":{{\"c\":{number} }} }} ");
            let node = Node::read_exactly(text.as_bytes()).unwrap();
            let list = node.get("a").and_then(Node::list).unwrap();
            assert_eq!(list[0].word().as_deref(), Some(number));
            assert_eq!(node.get("b").and_then(|it| it.get("c")?.word()).as_deref(), Some(number));
        }
        let rest = Node::read_exactly(br#"{"t":"a\u00e4","n":null,"y":true,"t":1}"#).unwrap();
        assert_eq!(rest.get("t").and_then(Node::text), Some("a\u{e4}"));
        assert!(rest.get("n").is_none() && matches!(rest.get("y"), Some(Node::Bool(true))));
    }

    #[test]
    fn what_is_too_deep_or_no_json_is_not_read_exactly_either() {
        let nested = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
        assert!(Node::read_exactly(nested(EXACT_LEVELS - 1).as_bytes()).is_some());
        for text in [
            &nested(EXACT_LEVELS),
            &nested(100_000),
            &"[".repeat(100_000),
            "",
            "{",
            "{} {}",
            "<html>",
            "{\"a\":\"",
            "nul",
            "01",
            "1.",
            "+1",
            "{\"a\":\"\\ud800\"}",
        ] {
            assert!(Node::read_exactly(text.as_bytes()).is_none(), "{text:.20}");
        }
        assert!(Node::read_exactly(b"{\"a\":\"\xff\"}").is_none());
    }
}
