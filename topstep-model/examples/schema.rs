//! Writes the AsyncAPI document and the TypeScript types of both hubs into a folder.
//!
//! ```sh
//! cargo run -p topstep-model --example schema -- topstep-model/schema
//! ```

use std::path::PathBuf;
use std::{env, fs, io};

use topstep_model::schema;

fn main() -> io::Result<()> {
    let folder = env::args_os().nth(1).map_or_else(|| PathBuf::from("topstep-model/schema"), PathBuf::from);
    let document = schema::asyncapi();
    fs::write(folder.join("topstepx.asyncapi.json"), format!("{document:#}\n"))?;
    fs::write(folder.join("topstepx.d.ts"), schema::typescript(&document))
}
