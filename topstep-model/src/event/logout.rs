//! The end of a session.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeSeq, Serializer};

use crate::Text;
use crate::decode::{Collector, ElementSeed, Outcome, Path, ScalarValue};

use super::Account;

/// `GatewayLogout`: the venue ends the session, on both hubs at once.
///
/// It fires when the same user logs in elsewhere, when the token is over, or for maintenance, as clients report; it is not
/// documented, and its arguments are not known. So every list of arguments is one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Logout {
    /// The first argument, where it is a text.
    pub reason: Option<Text>,
}

impl<'de> Deserialize<'de> for Logout {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(LogoutVisitor)
    }
}

impl Serialize for Logout {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut arguments = serializer.serialize_seq(Some(usize::from(self.reason.is_some())))?;
        if let Some(reason) = &self.reason {
            arguments.serialize_element(reason)?;
        }
        arguments.end()
    }
}

struct LogoutVisitor;

impl<'de> Visitor<'de> for LogoutVisitor {
    type Value = Logout;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the arguments of a logout")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Logout, A::Error> {
        // Whatever the first argument is, this reader takes it; only a text is of interest.
        let mut out = Collector::<Account>::new();
        let first = seq.next_element_seed(ElementSeed { out: &mut out, path: Path::START, nesting: 0 })?;
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        match first {
            Some(Outcome::Scalar(ScalarValue::Text(reason))) => Ok(Logout { reason: Some(reason) }),
            _ => Ok(Logout::default()),
        }
    }
}
