//! The contracts that can be asked for: one for each listed month of a product, of which the front one is active.

use rust_decimal::Decimal;
use time::{Date, Month, OffsetDateTime};

use super::roots::{self, MONTHS, ROOTS, Root};

/// One contract, with the members that `Contract/search` answers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Contract {
    /// The id that subscriptions and orders name, such as `CON.F.US.EP.Z26`.
    pub id: String,
    /// The exchange's name with a one-digit year, such as `ESZ6`.
    pub name: String,
    /// The name with a two-digit year, which positions show, such as `ESZ26`.
    pub display_name: String,
    /// What people call it, such as `E-mini S&P 500: December 2026`.
    pub description: String,
    /// The product, which its other months share, such as `F.US.EP`.
    pub symbol_id: String,
    /// The smallest step of its price.
    pub tick_size: Decimal,
    /// What one tick of one contract is worth, in dollars.
    pub tick_value: Decimal,
    /// Whether it can be traded: only the front contract of a product can.
    pub active: bool,
}

/// The venue's table of contracts, as it stands at one moment.
///
/// It holds the 51 products that the real gateway listed in August 2026, each with its front contract.
#[derive(Clone, Debug)]
pub struct Contracts {
    active: Vec<Contract>,
}

impl Contracts {
    /// The most contracts that one search answers, as observed at the venue.
    pub const SEARCH_LIMIT: usize = 20;

    /// The table at `now`, which decides the months that are active; they stay so.
    #[must_use]
    pub fn new(now: OffsetDateTime) -> Self {
        let today = now.to_offset(time::UtcOffset::UTC).date();
        let front = |root: &'static Root| Expiry::front(root, today).contract(true);
        Self { active: ROOTS.iter().map(front).collect() }
    }

    /// The active contracts, one a product, in the order of the reference's table.
    #[must_use]
    pub fn active(&self) -> &[Contract] {
        &self.active
    }

    /// The contract of an id, with the active ones those of any other month of a known product.
    ///
    /// The venue, too, answers for expired contracts. There is none for an unknown product, or where the id does not
    /// have the form `CON.F.US.<product>.<month letter><two-digit year>`.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<Contract> {
        if let Some(active) = self.active.iter().find(|contract| contract.id == id) {
            return Some(active.clone());
        }
        Some(Expiry::of(id)?.contract(false))
    }

    /// The active contracts whose name or description contains `text`, whatever the case; at most
    /// [`SEARCH_LIMIT`](Self::SEARCH_LIMIT).
    #[must_use]
    pub fn search(&self, text: &str) -> Vec<Contract> {
        let text = text.to_ascii_lowercase();
        let fits = |contract: &&Contract| {
            let members = [&contract.name, &contract.display_name, &contract.description];
            members.iter().any(|member| member.to_ascii_lowercase().contains(&text))
        };
        self.active.iter().filter(fits).take(Self::SEARCH_LIMIT).cloned().collect()
    }
}

/// A product's contract of one month.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expiry {
    pub(super) root: &'static Root,
    year: i32,
    month: Month,
}

impl Expiry {
    /// What an id names.
    pub(super) fn of(id: &str) -> Option<Self> {
        let (root, expiry) = id.strip_prefix("CON.F.US.")?.split_once('.')?;
        let root = roots::find(root)?;
        let &[letter, tens @ b'0'..=b'9', ones @ b'0'..=b'9'] = expiry.as_bytes() else {
            return None;
        };
        let index = MONTHS.bytes().position(|month| month == letter)?;
        let year = 2000 + i32::from(tens - b'0') * 10 + i32::from(ones - b'0');
        Some(Self { root, year, month: month_of(index)? })
    }

    fn front(root: &'static Root, today: Date) -> Self {
        let first = months_since_zero(today.year(), today.month());
        let listed = (first..first + 24).filter_map(|months| {
            let (year, month) = (months.div_euclid(12), month_of(usize::try_from(months.rem_euclid(12)).ok()?)?);
            root.months.contains(letter(month)).then_some(Self { root, year, month })
        });
        let here = (first, today.day());
        let mut listed = listed.filter(|expiry| {
            let last = months_since_zero(expiry.year, expiry.month) - root.roll.months_before;
            here <= (last, root.roll.day)
        });
        listed.next().unwrap_or(Self { root, year: today.year(), month: Month::December })
    }

    /// How many months it is from the month that the products' prices are meant for.
    pub(super) fn months_out(self) -> i64 {
        i64::from(months_since_zero(self.year, self.month) - months_since_zero(2026, Month::December))
    }

    fn contract(self, active: bool) -> Contract {
        let Self { root, year, month } = self;
        let (id, name, letter) = (root.id, root.name, letter(month));
        let decimal = |(units, scale): (i64, u32)| Decimal::new(units, scale).normalize();
        Contract {
            id: format!("CON.F.US.{id}.{letter}{:02}", year % 100),
            name: format!("{name}{letter}{}", year % 10),
            display_name: format!("{name}{letter}{:02}", year % 100),
            description: format!("{}: {month} {year}", root.title),
            symbol_id: format!("F.US.{id}"),
            tick_size: decimal(root.tick),
            tick_value: decimal(root.value),
            active,
        }
    }
}

fn month_of(index: usize) -> Option<Month> {
    Month::try_from(u8::try_from(index).ok()?.checked_add(1)?).ok()
}

fn letter(month: Month) -> char {
    MONTHS.chars().nth(usize::from(u8::from(month)) - 1).unwrap_or('Z')
}

fn months_since_zero(year: i32, month: Month) -> i32 {
    year * 12 + i32::from(u8::from(month)) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(unix: i64) -> Contracts {
        Contracts::new(OffsetDateTime::from_unix_timestamp(unix).unwrap())
    }

    const NOVEMBER_21_2026: i64 = 1_795_262_400;
    const DECEMBER_17_2026: i64 = 1_797_508_800;

    #[test]
    fn each_product_has_one_active_contract() {
        let contracts = at(NOVEMBER_21_2026);
        let ids: Vec<_> = contracts.active().iter().map(|contract| contract.id.as_str()).collect();
        assert_eq!(ids.len(), 51);
        for id in ["CON.F.US.EP.Z26", "CON.F.US.MNQ.Z26", "CON.F.US.CLE.F27", "CON.F.US.GCE.Z26", "CON.F.US.PLE.F27"] {
            assert!(ids.contains(&id), "{id} of {ids:?}");
        }
        assert!(contracts.active().iter().all(|contract| contracts.find(&contract.id).as_ref() == Some(contract)));
        assert!(at(DECEMBER_17_2026).find("CON.F.US.EP.H27").unwrap().active);
    }

    #[test]
    fn a_contract_has_the_names_of_the_reference() {
        let contract = at(NOVEMBER_21_2026).find("CON.F.US.ENQ.U25").unwrap();
        assert_eq!((contract.name.as_str(), contract.display_name.as_str()), ("NQU5", "NQU25"));
        assert_eq!(contract.description, "E-mini NASDAQ-100: September 2025");
        assert_eq!((contract.symbol_id.as_str(), contract.active), ("F.US.ENQ", false));
        let yen = at(NOVEMBER_21_2026).find("CON.F.US.JY6.Z26").unwrap();
        assert_eq!((yen.tick_size.to_string(), yen.tick_value.to_string()), ("0.0000005".into(), "6.25".into()));
    }

    #[test]
    fn what_the_venue_does_not_list_is_not_found() {
        let contracts = at(NOVEMBER_21_2026);
        for id in [
            "",
            "CON.F.US.NOPE.U26",
            "CON.F.US.EP.A26",
            "CON.F.US.EP.Z6",
            "CON.F.US.EP.Z026",
            "EP.Z26",
            "CON.F.US.EP",
            "CON.F.US.EP.Zé",
            "CON.F.US.EP.Z2６",
        ] {
            assert_eq!(contracts.find(id), None, "{id}");
        }
    }

    #[test]
    fn a_search_finds_names_and_descriptions() {
        let contracts = at(NOVEMBER_21_2026);
        let names = |text| contracts.search(text).into_iter().map(|contract| contract.name).collect::<Vec<_>>();
        assert_eq!(names("nq"), ["NQZ6", "MNQZ6"]);
        assert_eq!(names("Crude").len(), 3);
        assert_eq!(names("").len(), Contracts::SEARCH_LIMIT);
    }
}
