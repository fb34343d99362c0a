//! The machine alone, with a clock that the tests turn.
