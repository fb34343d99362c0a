//! The way to the wire, on tokio. The tests themselves are shared with the other adapters.

use std::future::Future;

use adapter_tokio::Tokio as Subject;

mod suite;

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be made").block_on(future)
}
