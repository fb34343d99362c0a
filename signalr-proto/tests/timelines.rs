//! The pictures of `docs/reconnecting.md` show what the machine does.

#[path = "../examples/timeline/draw.rs"]
mod draw;
#[path = "../examples/timeline/pictures.rs"]
mod pictures;
#[path = "../examples/timeline/run.rs"]
mod run;

use std::path::Path;

#[test]
fn the_committed_pictures_are_those_of_the_machine() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/images");
    for (name, picture) in pictures::all() {
        let committed = std::fs::read_to_string(folder.join(&name)).expect("the picture is there");
        assert!(
            committed.replace("\r\n", "\n") == picture,
            "{name} is not what the machine does any more: cargo run -p signalr-proto --example timeline"
        );
    }
}
