//! A contract's id, taken apart.

use std::fmt;
use std::str::FromStr;

use crate::excerpt::Excerpt;
use crate::{ContractId, SymbolId};

/// A month of delivery, by the letter that futures exchanges give it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a year has twelve months")]
#[expect(missing_docs, reason = "the names say all")]
pub enum DeliveryMonth {
    January,
    February,
    March,
    April,
    May,
    June,
    July,
    August,
    September,
    October,
    November,
    December,
}

impl DeliveryMonth {
    /// Every month in order.
    pub const ALL: [Self; 12] = [
        Self::January,
        Self::February,
        Self::March,
        Self::April,
        Self::May,
        Self::June,
        Self::July,
        Self::August,
        Self::September,
        Self::October,
        Self::November,
        Self::December,
    ];

    /// The month of a letter out of `FGHJKMNQUVXZ`.
    pub fn from_letter(letter: char) -> Option<Self> {
        Self::ALL.into_iter().find(|month| month.letter() == letter)
    }

    /// The letter, from F for January to Z for December.
    pub const fn letter(self) -> char {
        match self {
            Self::January => 'F',
            Self::February => 'G',
            Self::March => 'H',
            Self::April => 'J',
            Self::May => 'K',
            Self::June => 'M',
            Self::July => 'N',
            Self::August => 'Q',
            Self::September => 'U',
            Self::October => 'V',
            Self::November => 'X',
            Self::December => 'Z',
        }
    }

    /// The number, from 1 to 12.
    pub const fn number(self) -> u8 {
        self as u8 + 1
    }
}

/// What the id of a contract says, such as `CON.F.US.EP.Z26`: product EP, December 2026.
///
/// Ids are opaque to the rest of this crate: an id of another form subscribes and trades as well. Taking one apart is for
/// showing it, and for finding the product's other months.
///
/// ```
/// use topstep_model::{ContractId, DeliveryMonth};
///
/// let parts = ContractId::new("CON.F.US.EP.Z26").parts()?;
/// assert_eq!((parts.product(), parts.month(), parts.year()), ("EP", DeliveryMonth::December, 2026));
/// assert_eq!(parts.symbol_id(), "F.US.EP");
/// assert_eq!(parts.contract_id(), "CON.F.US.EP.Z26");
/// # Ok::<(), topstep_model::ContractIdError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ContractParts {
    symbol: SymbolId,
    month: DeliveryMonth,
    year: u16,
}

impl ContractParts {
    /// The product's code at the venue, which is not always the exchange's: `EP` is ES.
    pub fn product(&self) -> &str {
        self.symbol.as_str().rsplit('.').next().unwrap_or_default()
    }

    /// The month of delivery.
    pub const fn month(&self) -> DeliveryMonth {
        self.month
    }

    /// The year of delivery, from 2000 to 2099: the id has its last two digits.
    pub const fn year(&self) -> u16 {
        self.year
    }

    /// The product that its months share, such as `F.US.EP`.
    pub fn symbol_id(&self) -> SymbolId {
        self.symbol.clone()
    }

    /// The id again.
    pub fn contract_id(&self) -> ContractId {
        ContractId::from(self.to_string())
    }

    /// The same product in another month; `None` for a year that an id cannot have.
    #[must_use]
    pub fn with_month(&self, month: DeliveryMonth, year: u16) -> Option<Self> {
        (2000..2100).contains(&year).then(|| Self { symbol: self.symbol.clone(), month, year })
    }

    fn parse(id: &str) -> Option<Self> {
        let symbol_and_month = id.strip_prefix("CON.")?;
        let (symbol, month_and_year) = symbol_and_month.rsplit_once('.')?;
        let mut parts = symbol.split('.');
        let is_plain = |part: Option<&str>| {
            part.is_some_and(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric()))
        };
        // Kind of instrument, country, product.
        if !(is_plain(parts.next()) && is_plain(parts.next()) && is_plain(parts.next()) && parts.next().is_none()) {
            return None;
        }
        let (month, year) = month_and_year_of(month_and_year)?;
        Some(Self { symbol: SymbolId::new(symbol), month, year })
    }
}

/// Reads `Z26`.
pub(super) fn month_and_year_of(text: &str) -> Option<(DeliveryMonth, u16)> {
    let mut letters = text.chars();
    let month = DeliveryMonth::from_letter(letters.next()?)?;
    let digits = letters.as_str();
    if digits.len() != 2 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some((month, 2000 + digits.parse::<u16>().ok()?))
}

impl fmt::Display for ContractParts {
    /// Prints the id.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CON.{}.{}{:02}", self.symbol, self.month.letter(), self.year % 100)
    }
}

impl FromStr for ContractParts {
    type Err = ContractIdError;

    fn from_str(id: &str) -> Result<Self, ContractIdError> {
        Self::parse(id).ok_or_else(|| ContractIdError { id: Excerpt::new(id) })
    }
}

impl ContractId {
    /// Takes the id apart.
    ///
    /// # Errors
    ///
    /// It does not have the form `CON.<kind>.<country>.<product>.<month letter><two-digit year>`.
    pub fn parts(&self) -> Result<ContractParts, ContractIdError> {
        self.as_str().parse()
    }
}

/// Says that a contract's id does not have the usual form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{id} does not have the form CON.F.US.EP.Z26")]
pub struct ContractIdError {
    id: Excerpt,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_month_has_its_letter() {
        for (index, month) in DeliveryMonth::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(month.number()), index + 1);
            assert_eq!(DeliveryMonth::from_letter(month.letter()), Some(month));
            assert_eq!("FGHJKMNQUVXZ".chars().nth(index), Some(month.letter()));
        }
        assert_eq!(DeliveryMonth::from_letter('A'), None);
    }

    #[test]
    fn an_id_of_the_usual_form_prints_as_it_was() {
        for id in ["CON.F.US.EP.Z26", "CON.F.US.MNQ.H00", "CON.F.US.6E.F99", "CON.F.US.M2K.U05"] {
            let parts: ContractParts = id.parse().unwrap();
            assert_eq!(parts.to_string(), id);
        }
        let next = ContractId::new("CON.F.US.EP.Z26").parts().unwrap().with_month(DeliveryMonth::March, 2027).unwrap();
        assert_eq!(next.contract_id(), "CON.F.US.EP.H27");
        assert_eq!(next.with_month(DeliveryMonth::March, 2100), None);
    }

    #[test]
    fn any_other_text_is_no_id() {
        for id in [
            "",
            "CON",
            "CON.",
            "CON.F.US.EP",
            "CON.F.US.EP.",
            "CON.F.US.EP.Z",
            "CON.F.US.EP.Z6",
            "CON.F.US.EP.Z026",
            "CON.F.US.EP.A26",
            "CON.F.US.EP.z26",
            "CON.F.US.EP.Z+6",
            "CON.F.US.EP.é26",
            "CON.F.US..Z26",
            "CON.F.US.E P.Z26",
            "CON.F.US.EP.X.Z26",
            "con.F.US.EP.Z26",
            "F.US.EP.Z26",
            " CON.F.US.EP.Z26",
        ] {
            assert!(id.parse::<ContractParts>().is_err(), "{id}");
        }
    }
}
