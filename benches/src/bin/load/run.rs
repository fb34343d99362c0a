//! Sets the runtime up, with as many threads as were asked for.

use std::env;
use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::args::{Args, Mode, Runtime};
use crate::{Failed, floor, ours};

/// What async-std reads its number of threads from.
const ASYNC_STD_THREADS: &str = "ASYNC_STD_THREAD_COUNT";

pub(crate) fn run(args: Args) -> Result<(), Failed> {
    let is_floor = matches!(args.mode, Mode::Raw | Mode::Borrowed | Mode::Owned);
    match args.runtime {
        Runtime::Tokio if is_floor => on_tokio(args, floor::tokio),
        Runtime::Tokio => on_tokio(args, ours::tokio),
        Runtime::AsyncStd if is_floor => on_async_std(args, false, floor::async_std),
        Runtime::AsyncStd => on_async_std(args, true, ours::async_std),
    }
}

fn on_tokio<F>(args: Args, body: impl FnOnce(Args) -> F) -> Result<(), Failed>
where
    F: Future<Output = Result<(), Failed>> + Send + 'static,
{
    if args.threads == 1 {
        return tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(body(args));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(args.threads).enable_all().build()?;
    runtime.block_on(runtime.spawn(body(args)))?
}

/// `spawns`: the body spawns tasks of its own, and is to share their thread.
fn on_async_std<F>(args: Args, spawns: bool, body: impl FnOnce(Args) -> F) -> Result<(), Failed>
where
    F: Future<Output = Result<(), Failed>> + Send + 'static,
{
    // async-std reads the variable once, and a running program cannot set its own environment safely.
    let threads = args.threads.to_string();
    if env::var(ASYNC_STD_THREADS).ok().as_deref() != Some(&threads) {
        let again =
            Command::new(env::current_exe()?).args(env::args_os().skip(1)).env(ASYNC_STD_THREADS, threads).exec();
        return Err(again.into());
    }
    if args.threads == 1 && !spawns {
        return async_std::task::block_on(body(args));
    }
    async_std::task::block_on(async_std::task::spawn(body(args)))
}
