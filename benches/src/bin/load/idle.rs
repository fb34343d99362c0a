//! Many connections at once, and the memory they hold.

use std::future::Future;

use futures_util::future::try_join_all;

use crate::args::Args;
use crate::{Failed, measure, report};

/// How many connections are opened at a time: few enough for any server's backlog.
const STEP: usize = 100;

/// Opens all connections, tells the memory, and closes them by dropping.
pub(crate) async fn run<C, F>(args: &Args, peer: &str, mut connect: impl FnMut() -> F) -> Result<(), Failed>
where
    F: Future<Output = Result<C, Failed>>,
{
    let before = measure::resident_kib()?;
    let mut open = Vec::with_capacity(args.connections);
    while open.len() < args.connections {
        let step = STEP.min(args.connections - open.len());
        open.extend(try_join_all((0..step).map(|_| connect())).await?);
    }
    report::idle(peer, open.len(), before, measure::resident_kib()?);
    Ok(())
}
