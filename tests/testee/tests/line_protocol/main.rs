//! The testee as a program: lines in, lines out, on both runtimes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod arguments;
mod calls;
mod causes;
mod commands;
mod driver;
mod life;
mod options;
mod reconnecting;
mod subscriptions;

/// Makes a test of each function for each runtime: `<function>::tokio` and `<function>::async_std`.
macro_rules! on_both_runtimes {
    ($($scenario:ident),* $(,)?) => {$(
        mod $scenario {
            #[test]
            fn tokio() {
                super::$scenario($crate::driver::Testee::start("tokio", &[]));
            }

            #[test]
            fn async_std() {
                super::$scenario($crate::driver::Testee::start("async-std", &[]));
            }
        }
    )*};
}

pub(crate) use on_both_runtimes;
