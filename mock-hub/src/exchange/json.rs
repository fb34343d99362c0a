//! JSON objects in the venue's order of members, numbers digit for digit.

use std::fmt::{Display, Write as _};

use rust_decimal::Decimal;

/// Who reads the object, which decides what becomes of a value that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// The user hub, where a null member is left out.
    Stream,
    /// A REST answer, where the members that every record has are written as null.
    Rest,
}

/// An object under construction.
#[derive(Debug)]
pub(super) struct Object {
    form: Form,
    text: String,
}

impl Object {
    pub(super) fn new(form: Form) -> Self {
        Self { form, text: String::from("{") }
    }

    /// A member that prints as JSON by itself: an integer, a boolean.
    pub(super) fn plain(mut self, name: &str, value: impl Display) -> Self {
        self.name(name);
        // Writing to a String cannot fail.
        let _ = write!(self.text, "{value}");
        self
    }

    pub(super) fn decimal(self, name: &str, value: Decimal) -> Self {
        self.plain(name, plain(value))
    }

    pub(super) fn text(mut self, name: &str, value: &str) -> Self {
        self.name(name);
        self.text.push_str(&serde_json::Value::from(value).to_string());
        self
    }

    /// A member that REST always has: null where there is no value.
    pub(super) fn nullable<T>(self, name: &str, value: Option<T>, write: impl FnOnce(Self, &str, T) -> Self) -> Self {
        match (value, self.form) {
            (Some(value), _) => write(self, name, value),
            (None, Form::Rest) => self.plain(name, "null"),
            (None, Form::Stream) => self,
        }
    }

    /// A member that both forms leave out where there is no value.
    pub(super) fn optional<T>(self, name: &str, value: Option<T>, write: impl FnOnce(Self, &str, T) -> Self) -> Self {
        match value {
            Some(value) => write(self, name, value),
            None => self,
        }
    }

    pub(super) fn finish(mut self) -> String {
        self.text.push('}');
        self.text
    }

    fn name(&mut self, name: &str) {
        if self.text.len() > 1 {
            self.text.push(',');
        }
        let _ = write!(self.text, "\"{name}\":");
    }
}

/// A decimal as the venue prints it: `49909`, `0.25`, never `-0`, never an exponent.
pub(super) fn plain(value: Decimal) -> Decimal {
    value.normalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_print_plainly() {
        let printed = |units, scale| plain(Decimal::new(units, scale)).to_string();
        assert_eq!(printed(4_990_900, 2), "49909");
        assert_eq!(printed(5, 7), "0.0000005");
        assert_eq!(printed(-12_250, 2), "-122.5");
        assert_eq!(plain(-Decimal::new(0, 2)).to_string(), "0");
    }

    #[test]
    fn what_is_not_there_depends_on_the_reader() {
        let write = |form| {
            Object::new(form)
                .plain("id", 1)
                .nullable("price", None, Object::decimal)
                .optional("parent", None::<i64>, Object::plain)
                .text("tag", "a\"b")
                .finish()
        };
        assert_eq!(write(Form::Stream), r#"{"id":1,"tag":"a\"b"}"#);
        assert_eq!(write(Form::Rest), r#"{"id":1,"price":null,"tag":"a\"b"}"#);
    }
}
