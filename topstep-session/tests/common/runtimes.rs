//! One scenario, both runtimes.

use std::future::Future;
use std::time::Duration;

/// Makes two tests of each scenario, `<scenario>::tokio` and `<scenario>::async_std`. A scenario is an `async fn scenario<R: Runtime>()`. None may
/// take longer than `support::LONGEST`.
macro_rules! scenarios {
    ($($name:ident),* $(,)?) => {$(
        mod $name {
            #[test]
            fn tokio() {
                $crate::support::on_tokio($crate::support::LONGEST, super::$name::<adapter_tokio::Tokio>());
            }

            #[test]
            fn async_std() {
                $crate::support::on_async_std($crate::support::LONGEST, super::$name::<adapter_async_std::AsyncStd>());
            }
        }
    )*};
}
pub(crate) use scenarios;

pub(crate) fn on_tokio(longest: Duration, scenario: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let ended = runtime.block_on(async { tokio::time::timeout(longest, scenario).await });
    ended.expect("the scenario ends in time");
}

pub(crate) fn on_async_std(longest: Duration, scenario: impl Future<Output = ()>) {
    let ended = async_std::task::block_on(async_std::future::timeout(longest, scenario));
    ended.expect("the scenario ends in time");
}
