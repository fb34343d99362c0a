//! Identifiers of the venue: opaque text, one type each.

use std::borrow::Borrow;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Text;

macro_rules! identifier {
    ($(#[$docs:meta])* $name:ident) => {
        $(#[$docs])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Text);

        impl $name {
            /// Copies an identifier, whatever its form.
            #[inline]
            pub fn new(id: &str) -> Self {
                Self(Text::new(id))
            }

            /// Returns the identifier as it stands on the wire.
            #[inline]
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl From<&str> for $name {
            #[inline]
            fn from(id: &str) -> Self {
                Self::new(id)
            }
        }

        impl From<Text> for $name {
            #[inline]
            fn from(id: Text) -> Self {
                Self(id)
            }
        }

        impl From<String> for $name {
            fn from(id: String) -> Self {
                Self(Text::from(id))
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        // Holds because the derived Eq, Ord and Hash are those of `Text`, which are those of `str`.
        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                self.as_str()
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                self.0 == *other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                self.0 == **other
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($name)).field(&self.0).finish()
            }
        }
    };
}

identifier! {
    /// Names one contract, such as `CON.F.US.EP.U25`: one product and one month of delivery.
    ///
    /// It is opaque text: no form is checked, case counts, and what the venue sends is what is kept. Market
    /// subscriptions are made with it, and it is the first argument of every event of the market hub.
    ContractId
}

identifier! {
    /// Names one product, the root of its contracts, such as `F.US.EP`.
    ///
    /// Several contracts share a symbol, so events are told apart by [`ContractId`], never by this.
    SymbolId
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap};

    use super::*;

    #[test]
    fn is_found_in_maps_by_str() {
        let long = "CON.F.US.".repeat(9);
        for id in ["", "CON.F.US.EP.U25", "123456789012345678901234567890", "1234567890123456789012345678901", &long] {
            let hashed = HashMap::from([(ContractId::new(id), 1)]);
            let ordered = BTreeMap::from([(ContractId::new(id), 1)]);
            assert_eq!(hashed.get(id), Some(&1), "{id}");
            assert_eq!(ordered.get(id), Some(&1), "{id}");
        }
    }

    #[test]
    fn compares_as_text_at_every_length() {
        let texts: Vec<String> =
            (0..70).map(|length| "é".repeat(length / 2) + if length % 2 == 1 { "x" } else { "" }).collect();
        for left in &texts {
            assert_eq!(ContractId::new(left).as_str(), left);
            assert_eq!(ContractId::from(left.clone()), ContractId::new(left));
            for right in &texts {
                assert_eq!(ContractId::new(left).cmp(&ContractId::new(right)), left.cmp(right));
                assert_eq!(ContractId::new(left) == ContractId::new(right), left == right);
            }
        }
    }

    #[test]
    fn is_text_on_the_wire() {
        let id: ContractId = serde_json::from_str(r#""CON.F.US.\u0045P.U25""#).unwrap();
        assert_eq!(id, "CON.F.US.EP.U25");
        assert_eq!(serde_json::to_string(&id).unwrap(), r#""CON.F.US.EP.U25""#);
        assert_eq!(format!("{id} {id:?}"), r#"CON.F.US.EP.U25 ContractId("CON.F.US.EP.U25")"#);
        serde_json::from_str::<ContractId>("12").unwrap_err();
        serde_json::from_str::<ContractId>("null").unwrap_err();
    }

    #[test]
    fn takes_no_more_than_three_words() {
        assert_eq!(size_of::<Option<ContractId>>(), 3 * size_of::<u64>());
    }
}
