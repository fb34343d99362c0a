//! One scenario, both runtimes.

use std::future::Future;
use std::time::Duration;

/// No scenario takes longer, however busy the machine is.
const LIMIT: Duration = Duration::from_secs(90);

/// Makes two tests of each scenario, `<scenario>::tokio` and `<scenario>::async_std`.
///
/// A scenario is an `async fn scenario<R: Runtime>()` in the same module.
#[macro_export]
macro_rules! scenarios {
    ($($name:ident),* $(,)?) => {$(
        mod $name {
            #[test]
            fn tokio() {
                $crate::scenario::on_tokio(super::$name::<$crate::Tokio>());
            }

            #[test]
            fn async_std() {
                $crate::scenario::on_async_std(super::$name::<$crate::AsyncStd>());
            }
        }
    )*};
}

/// Makes four tests of each scenario: against the real ASP.NET Core hub and against mock-hub, on both runtimes.
///
/// A scenario is an `async fn scenario<R: Runtime>(server: Server)` in the same module.
#[macro_export]
macro_rules! conformance {
    ($($name:ident),* $(,)?) => {
        mod aspnetcore {
            $(mod $name {
                #[test]
                fn tokio() {
                    let Some(server) = $crate::hubs::Server::aspnetcore() else { return };
                    $crate::scenario::on_tokio(super::super::$name::<$crate::Tokio>(server));
                }

                #[test]
                fn async_std() {
                    let Some(server) = $crate::hubs::Server::aspnetcore() else { return };
                    $crate::scenario::on_async_std(super::super::$name::<$crate::AsyncStd>(server));
                }
            })*
        }

        mod mock {
            $(mod $name {
                #[test]
                fn tokio() {
                    $crate::scenario::on_tokio(super::super::$name::<$crate::Tokio>($crate::hubs::Server::Mock));
                }

                #[test]
                fn async_std() {
                    $crate::scenario::on_async_std(super::super::$name::<$crate::AsyncStd>($crate::hubs::Server::Mock));
                }
            })*
        }
    };
}

/// Runs a scenario on tokio.
pub fn on_tokio(scenario: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let ended = runtime.block_on(async { tokio::time::timeout(LIMIT, scenario).await });
    ended.expect("the scenario ends in time");
}

/// Runs a scenario on async-std.
pub fn on_async_std(scenario: impl Future<Output = ()>) {
    let ended = async_std::task::block_on(async_std::future::timeout(LIMIT, scenario));
    ended.expect("the scenario ends in time");
}
