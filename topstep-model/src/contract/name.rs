//! The names that people use for contracts.

use std::fmt;
use std::str::FromStr;

use super::parts::{ContractParts, DeliveryMonth};
use super::product::Product;
use crate::excerpt::Excerpt;
use crate::{ContractId, SymbolId, Text};

/// A contract as the exchange and the platform call it: `NQU6` or `MNQU26`.
///
/// The first is a contract's `name`, with one digit for the year; the second is what positions show. The root is the exchange's, and
/// the venue's product may have another code: [`ContractName::of`] knows both.
///
/// ```
/// use topstep_model::{ContractId, ContractName};
///
/// let name: ContractName = "ESZ26".parse()?;
/// assert_eq!((name.root(), name.year(2026)), ("ES", 2026));
/// let same = ContractName::of(&ContractId::new("CON.F.US.EP.Z26").parts()?);
/// assert_eq!(same.as_ref().map(ContractName::to_string).as_deref(), Some("ESZ26"));
/// assert_eq!(same.map(|name| name.short()).as_deref(), Some("ESZ6"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ContractName {
    root: Text,
    month: DeliveryMonth,
    year: Year,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Year {
    /// The last digit.
    Digit(u8),
    Full(u16),
}

impl ContractName {
    /// The name of a contract whose product this version of the library knows.
    pub fn of(parts: &ContractParts) -> Option<Self> {
        let product = Product::find(parts.product())?;
        Some(Self { root: Text::new(product.exchange_root), month: parts.month(), year: Year::Full(parts.year()) })
    }

    /// The exchange's root, such as `ES`.
    pub fn root(&self) -> &str {
        self.root.as_str()
    }

    /// The month of delivery.
    pub const fn month(&self) -> DeliveryMonth {
        self.month
    }

    /// The year of delivery; where the name has its last digit only, the first such year from `this_year` on.
    pub const fn year(&self, this_year: u16) -> u16 {
        match self.year {
            Year::Full(year) => year,
            Year::Digit(digit) => this_year.saturating_add((digit as u16 + 10 - this_year % 10) % 10),
        }
    }

    /// The name with one digit for the year.
    pub fn short(&self) -> String {
        let digit = match self.year {
            Year::Digit(digit) => u16::from(digit),
            Year::Full(year) => year % 10,
        };
        format!("{}{}{digit}", self.root, self.month.letter())
    }

    /// The venue's id, if this version of the library knows the product; see [`year`](Self::year) for `this_year`.
    pub fn contract_id(&self, this_year: u16) -> Option<ContractId> {
        let product = Product::of_root(self.root())?;
        let year = self.year(this_year);
        (2000..2100)
            .contains(&year)
            .then(|| ContractId::from(format!("CON.F.US.{}.{}{:02}", product.code, self.month.letter(), year % 100)))
    }

    /// The venue's product, if this version of the library knows it.
    pub fn symbol_id(&self) -> Option<SymbolId> {
        Product::of_root(self.root()).map(Product::symbol_id)
    }

    fn parse(name: &str) -> Option<Self> {
        let without_digits = name.trim_end_matches(|letter: char| letter.is_ascii_digit());
        let digits = name.get(without_digits.len()..)?;
        let month = DeliveryMonth::from_letter(without_digits.chars().next_back()?)?;
        let root = without_digits.get(..without_digits.len() - 1)?;
        let is_root = (1..=8).contains(&root.len()) && root.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let year = match digits.len() {
            1 => Year::Digit(digits.parse().ok()?),
            2 => Year::Full(2000 + digits.parse::<u16>().ok()?),
            _ => return None,
        };
        is_root.then(|| Self { root: Text::new(root), month, year })
    }
}

impl fmt::Display for ContractName {
    /// Prints the name with as many digits as it has.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.year {
            Year::Digit(digit) => write!(f, "{}{}{digit}", self.root, self.month.letter()),
            Year::Full(year) => write!(f, "{}{}{:02}", self.root, self.month.letter(), year % 100),
        }
    }
}

impl FromStr for ContractName {
    type Err = ContractNameError;

    fn from_str(name: &str) -> Result<Self, ContractNameError> {
        Self::parse(name).ok_or_else(|| ContractNameError { name: Excerpt::new(name) })
    }
}

/// Says that a text is no name of a contract.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name} does not have the form ESZ6 or ESZ26")]
pub struct ContractNameError {
    name: Excerpt,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_taken_apart_from_behind() {
        for (name, root, month, year) in [
            ("NQU6", "NQ", 9, 2026),
            ("MNQU26", "MNQ", 9, 2026),
            ("6EZ5", "6E", 12, 2035),
            ("M2KH07", "M2K", 3, 2007),
            ("ZFZ6", "ZF", 12, 2026),
        ] {
            let parsed: ContractName = name.parse().unwrap();
            assert_eq!((parsed.root(), parsed.month().number(), parsed.year(2026)), (root, month, year));
            assert_eq!(parsed.to_string(), name);
        }
        for name in ["", "Z6", "ESZ", "ESZ026", "ESA6", "esz6", "E SZ6", "ABCDEFGHIZ6", "ÄZ6"] {
            assert!(name.parse::<ContractName>().is_err(), "{name}");
        }
    }

    #[test]
    fn a_name_and_an_id_say_the_same() {
        let name: ContractName = "ESZ6".parse().unwrap();
        assert_eq!(name.contract_id(2026).unwrap(), "CON.F.US.EP.Z26");
        assert_eq!(name.contract_id(2027).unwrap(), "CON.F.US.EP.Z36");
        assert_eq!(name.symbol_id().unwrap(), "F.US.EP");
        let unknown: ContractName = "QQQZ6".parse().unwrap();
        assert_eq!(unknown.contract_id(2026), None);
    }
}
