//! Draws what each reconnect preset does: the real machine, in virtual time, against hubs that are away, drop and drain.
//!
//! `cargo run -p signalr-proto --example timeline` writes `docs/images/reconnect-*.svg`; `docs/reconnecting.md` shows them, and a test holds
//! them against the machine.

mod draw;
mod pictures;
mod run;

use std::path::Path;

fn main() -> std::io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/images");
    std::fs::create_dir_all(&folder)?;
    for (name, picture) in pictures::all() {
        let path = folder.join(name);
        std::fs::write(&path, picture)?;
        println!("{}", path.display());
    }
    Ok(())
}
