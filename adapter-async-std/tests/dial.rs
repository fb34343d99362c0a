//! The way to the wire, on async-std. The tests themselves are shared with the other adapters.

use std::future::Future;

use adapter_async_std::AsyncStd as Subject;

#[path = "../../adapter-tokio/tests/dial/suite/mod.rs"]
mod suite;

fn block_on<F: Future>(future: F) -> F::Output {
    async_std::task::block_on(future)
}
