//! Where a value stands, told only when something is wrong with it.

use std::fmt;

/// The way to a value from outside in; it lies on the stack beside the readers that walk it.
#[derive(Clone, Copy)]
pub(crate) struct Path<'p> {
    outer: Option<&'p Path<'p>>,
    step: Step,
}

#[derive(Clone, Copy)]
pub(crate) enum Step {
    Nowhere,
    Index(usize),
    /// A name that is a plain word.
    Member(&'static str),
    /// A name that is a number.
    Key(u32),
}

impl<'p> Path<'p> {
    pub(crate) const START: Self = Self { outer: None, step: Step::Nowhere };

    pub(crate) const fn then(&'p self, step: Step) -> Self {
        Self { outer: Some(self), step }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(outer) = self.outer {
            fmt::Display::fmt(outer, f)?;
        }
        match self.step {
            Step::Nowhere => Ok(()),
            Step::Index(index) => write!(f, "[{index}]"),
            Step::Member(name) => write!(f, ".{name}"),
            Step::Key(key) => write!(f, "[\"{key}\"]"),
        }
    }
}
