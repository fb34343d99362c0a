//! Our own clients.

use crate::args::{Args, Runtime, Task};
use crate::{Failed, idle};

const MISSING: &str = "the clients are not built into this program yet; the floors are (--mode raw|borrowed|owned)";

pub(crate) async fn tokio(args: Args) -> Result<(), Failed> {
    run(args).await
}

pub(crate) async fn async_std(args: Args) -> Result<(), Failed> {
    run(args).await
}

async fn run(args: Args) -> Result<(), Failed> {
    let peer = peer(&args);
    match args.task {
        Task::Flood | Task::Echo => Err(MISSING.into()),
        Task::Idle => idle::run(&args, &peer, async || Err::<(), _>(MISSING.into())).await,
    }
}

fn peer(args: &Args) -> String {
    let adapter = match args.runtime {
        Runtime::Tokio => "adapter-tokio",
        Runtime::AsyncStd => "adapter-async-std",
    };
    match args.task {
        Task::Flood => format!("{adapter} {}", args.mode),
        Task::Echo => format!("{adapter} echo"),
        Task::Idle => format!("{adapter} idle"),
    }
}
