//! A request's JSON, bound to the types of a model as ASP.NET Core binds it (System.Text.Json, web defaults).
//!
//! Names are compared without case, unknown members are ignored, numbers may stand in quotes, enums may not; of a
//! member that is there twice the last counts. What is absent has its type's default, but a text that is needed is
//! missed by name.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::problem::Problem;

/// The members of an object, none of them looked at yet.
#[derive(Debug)]
pub(super) struct Members<'a> {
    /// The text of the whole body, for the places in errors.
    whole: &'a str,
    path: String,
    members: Vec<(String, &'a RawValue)>,
}

impl<'a> Members<'a> {
    /// The members of a body, which must be an object.
    pub(super) fn of_body(body: &'a [u8]) -> Result<Self, Problem> {
        let whole = std::str::from_utf8(body).map_err(|_| Problem::not_json("$", "The JSON text is not UTF-8."))?;
        if whole.trim().is_empty() {
            return Err(Problem::empty_body());
        }
        Self::parse(whole, whole, "$".to_owned())
    }

    pub(super) fn int(&self, name: &str) -> Result<i32, Problem> {
        self.number(name, "System.Int32").map(Option::unwrap_or_default)
    }

    pub(super) fn long(&self, name: &str) -> Result<i64, Problem> {
        self.number(name, "System.Int64").map(Option::unwrap_or_default)
    }

    pub(super) fn optional_int(&self, name: &str) -> Result<Option<i32>, Problem> {
        self.nullable_number(name, "System.Nullable`1[System.Int32]")
    }

    pub(super) fn optional_decimal(&self, name: &str) -> Result<Option<Decimal>, Problem> {
        let Some(value) = self.find(name).filter(|value| value.get() != "null") else {
            return Ok(None);
        };
        let text = unquoted(value.get());
        let parsed = Decimal::from_str(text).or_else(|_| Decimal::from_scientific(text));
        parsed.map(Some).map_err(|_| self.misfit(name, value, "System.Nullable`1[System.Decimal]"))
    }

    /// An enum: an integer, and nothing in quotes.
    pub(super) fn choice(&self, name: &str, of: &str) -> Result<i32, Problem> {
        let Some(value) = self.find(name) else {
            return Ok(0);
        };
        value.get().parse().map_err(|_| self.misfit(name, value, of))
    }

    pub(super) fn bool(&self, name: &str) -> Result<bool, Problem> {
        match self.find(name).map(|value| (value, value.get())) {
            None | Some((_, "false")) => Ok(false),
            Some((_, "true")) => Ok(true),
            Some((value, _)) => Err(self.misfit(name, value, "System.Boolean")),
        }
    }

    /// A text that must be there and not be empty.
    pub(super) fn text(&self, name: &str) -> Result<String, Problem> {
        self.optional_text(name)?.filter(|text| !text.trim().is_empty()).ok_or_else(|| Problem::missing(name))
    }

    pub(super) fn optional_text(&self, name: &str) -> Result<Option<String>, Problem> {
        let Some(value) = self.find(name) else {
            return Ok(None);
        };
        serde_json::from_str(value.get()).map_err(|_| self.misfit(name, value, "System.String"))
    }

    /// A time; one without an offset is in UTC.
    pub(super) fn optional_time(&self, name: &str) -> Result<Option<OffsetDateTime>, Problem> {
        let Some(value) = self.find(name).filter(|value| value.get() != "null") else {
            return Ok(None);
        };
        let text: Option<String> = serde_json::from_str(value.get()).ok();
        let time = text.and_then(|text| time_of(&text));
        time.map(Some).ok_or_else(|| self.misfit(name, value, "System.DateTime"))
    }

    pub(super) fn optional_object(&self, name: &str) -> Result<Option<Members<'a>>, Problem> {
        let Some(value) = self.find(name).filter(|value| value.get() != "null") else {
            return Ok(None);
        };
        let path = format!("{}.{name}", self.path);
        if !value.get().starts_with('{') {
            return Err(self.misfit(name, value, "Model"));
        }
        Self::parse(value.get(), self.whole, path).map(Some)
    }

    /// A list of enums.
    pub(super) fn choices(&self, name: &str, of: &str) -> Result<Vec<i32>, Problem> {
        let Some(value) = self.find(name).filter(|value| value.get() != "null") else {
            return Ok(Vec::new());
        };
        serde_json::from_str(value.get()).map_err(|_| self.misfit(name, value, of))
    }

    fn parse(text: &'a str, whole: &'a str, path: String) -> Result<Self, Problem> {
        match serde_json::from_str::<Pairs<'a>>(text) {
            Ok(Pairs(members)) => Ok(Self { whole, path, members }),
            Err(error) => {
                let (line, column) = (error.line().saturating_sub(1), error.column());
                let text = format!(
                    "The JSON value could not be read. Path: {path} | LineNumber: {line} | BytePositionInLine: {column}."
                );
                Err(Problem::not_json(&path, &text))
            }
        }
    }

    fn find(&self, name: &str) -> Option<&'a RawValue> {
        let mut newest_first = self.members.iter().rev();
        newest_first.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }

    fn number<T: FromStr>(&self, name: &str, of: &str) -> Result<Option<T>, Problem> {
        let Some(value) = self.find(name) else {
            return Ok(None);
        };
        unquoted(value.get()).parse().map(Some).map_err(|_| self.misfit(name, value, of))
    }

    fn nullable_number<T: FromStr>(&self, name: &str, of: &str) -> Result<Option<T>, Problem> {
        if self.find(name).is_some_and(|value| value.get() == "null") {
            return Ok(None);
        }
        self.number(name, of)
    }

    fn misfit(&self, name: &str, value: &RawValue, of: &str) -> Problem {
        let path = format!("{}.{name}", self.path);
        // The value is a slice of the whole: its end is the place that System.Text.Json tells.
        let end = (value.get().as_ptr() as usize).saturating_sub(self.whole.as_ptr() as usize) + value.get().len();
        let before = self.whole.get(..end).unwrap_or_default();
        let line = before.matches('\n').count();
        let column = before.rsplit('\n').next().map_or(0, str::len);
        let text = format!(
            "The JSON value could not be converted to {of}. Path: {path} | LineNumber: {line} | BytePositionInLine: {column}."
        );
        Problem::not_json(&path, &text)
    }
}

/// A number may stand in quotes (`JsonNumberHandling.AllowReadingFromString`).
fn unquoted(text: &str) -> &str {
    text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text)
}

/// ISO 8601 in the forms that System.Text.Json reads: a date, or a date and time with or without seconds and offset.
fn time_of(text: &str) -> Option<OffsetDateTime> {
    let (date, time) = text.split_once('T').unwrap_or((text, "00:00:00Z"));
    let offset = time.find(['Z', '+', '-']).unwrap_or(time.len());
    let (clock, offset) = time.split_at_checked(offset)?;
    let seconds = if clock.len() == 5 { ":00" } else { "" };
    let offset = if offset.is_empty() { "Z" } else { offset };
    OffsetDateTime::parse(&format!("{date}T{clock}{seconds}{offset}"), &Rfc3339).ok()
}

/// The members of an object in their order.
struct Pairs<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Pairs<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Pairs<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn members(text: &str) -> Members<'_> {
        Members::of_body(text.as_bytes()).unwrap_or_else(|problem| panic!("{}", problem.errors()))
    }

    #[test]
    fn members_bind_as_aspnetcore_binds_them() {
        let body = members(
            r#"{"AccountId":1,"accountid":"2","unknown":[{}],"price":5e-7,"quoted":"1.50","none":null,"live":true,
            "at":"2026-08-16T01:02","zone":"2026-08-16T01:02:03.5-06:00","day":"2026-08-16"}"#,
        );
        assert_eq!(body.int("accountId").ok(), Some(2));
        assert_eq!(body.int("absent").ok(), Some(0));
        assert_eq!(body.long("accountId").ok(), Some(2));
        assert_eq!(body.optional_decimal("price").ok().flatten(), Some(Decimal::new(5, 7)));
        assert_eq!(body.optional_decimal("quoted").ok().flatten(), Some(Decimal::new(150, 2)));
        assert_eq!(body.optional_decimal("none").ok(), Some(None));
        assert_eq!((body.bool("live").ok(), body.bool("absent").ok()), (Some(true), Some(false)));
        assert_eq!(body.optional_int("none").ok(), Some(None));
        let at = |name| body.optional_time(name).ok().flatten();
        assert_eq!(at("at"), Some(datetime!(2026-08-16 01:02 UTC)));
        assert_eq!(at("zone"), Some(datetime!(2026-08-16 07:02:03.5 UTC)));
        assert_eq!(at("day"), Some(datetime!(2026-08-16 0:00 UTC)));
    }

    #[test]
    fn an_enum_in_quotes_is_refused_with_its_place() {
        let body = members("{\"size\":1,\n \"side\":\"Bid\",\"type\":2,\"x\":1.5}");
        assert_eq!(body.choice("type", "OrderType").ok(), Some(2));
        let problem = body.choice("side", "OrderSide").unwrap_err().errors();
        assert!(problem.contains("The request field is required."), "{problem}");
        let place = "converted to OrderSide. Path: $.side | LineNumber: 1 | BytePositionInLine: 13.";
        assert!(problem.contains(place), "{problem}");
        assert!(body.int("x").is_err() && body.bool("size").is_err() && body.text("size").is_err());
        let missing = body.text("contractId").unwrap_err().errors();
        assert_eq!(missing, r#"{"ContractId":["The ContractId field is required."]}"#);
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for text in ["", " ", "[]", "1", "{", "{\"a\":}", "null"] {
            assert!(Members::of_body(text.as_bytes()).is_err(), "{text}");
        }
        assert!(Members::of_body(b"\xff").is_err());
        assert!(members(r#"{"filter":[]}"#).optional_object("filter").is_err());
        assert!(members(r#"{"filter":null}"#).optional_object("filter").is_ok_and(|filter| filter.is_none()));
    }
}
