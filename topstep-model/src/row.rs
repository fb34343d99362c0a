//! What every row of the venue has in common: one table of members, from which it is read, printed and described.

mod macros;
mod member;
mod strict;

use serde::de::MapAccess;

use crate::scalar::OnFault;

pub(crate) use macros::{row, row_field};
pub(crate) use member::Field;
pub use member::{CodeEntry, Kind, Member, Shown};
pub(crate) use strict::deserialize;

/// One row of an event or of a REST answer: an account, an order, a quote.
///
/// The crate's own types implement it, and nobody else can. It is there for generic code: to print a row, to compare two
/// of them member by member, to describe them in a schema.
///
/// ```
/// use topstep_model::{Order, Row, Shown};
///
/// let order: Order = serde_json::from_str(r#"{"id":7,"accountId":1,"contractId":"CON.F.US.EP.U25","status":2,"filledPrice":5e3}"#)?;
/// let mut shown = Vec::new();
/// order.visit(&mut |member, value| {
///     if let Shown::Decimal(price) = value {
///         shown.push(format!("{} {price}", member.name));
///     }
/// });
/// assert_eq!(shown, ["filledPrice 5000"]);
/// # Ok::<(), serde_json::Error>(())
/// ```
pub trait Row: Decode + Sized {
    /// What a row of this kind is called, such as `order`.
    const NAME: &'static str;

    /// Its members in the order in which they are written.
    const MEMBERS: &'static [Member];

    /// Shows each member that is there, in the order of the table.
    fn visit(&self, show: &mut dyn FnMut(&'static Member, Shown<'_>));
}

/// How a row is read: the crate's own business.
///
/// It is public because [`Row`] names it, and cannot be named from outside.
pub trait Decode: Sized {
    /// What an error says is expected, such as `an order`.
    const EXPECTED: &'static str;

    /// The members of a row that comes as an array of values, in their order; empty if it never does.
    const POSITIONS: &'static [Self::Tag];

    /// A member that is known.
    type Tag: Copy + 'static;

    /// A row of nothing, to be filled.
    fn blank() -> Self;

    /// Says which member this name means.
    fn tag(name: &str) -> Option<Self::Tag>;

    /// A member that somebody calls by another name, and that name.
    const ALIAS: Option<(&'static str, Self::Tag)>;

    /// The member's name on the wire.
    fn name_of(tag: Self::Tag) -> &'static str;

    /// The member's bit in `seen`.
    fn bit_of(tag: Self::Tag) -> u32;

    /// Reads a member's value into its place, and notes in `seen` that it was there.
    fn fill<'de, A: MapAccess<'de>, F: OnFault>(
        &mut self,
        tag: Self::Tag,
        seen: &mut u32,
        map: &mut A,
        on_fault: F,
    ) -> Result<(), A::Error>;

    /// Names the first required member that was not seen.
    fn missing(seen: u32) -> Option<&'static str>;
}

/// Names the first member whose bit is set.
#[inline]
pub(crate) fn first_missing(members: &'static [Member], missing: u32) -> Option<&'static str> {
    if missing == 0 {
        return None;
    }
    members.get(missing.trailing_zeros() as usize).map(|member| member.name)
}
