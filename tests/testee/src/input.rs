//! The lines of standard input.

use std::io::BufRead;

use futures_channel::mpsc::{UnboundedReceiver, unbounded};

/// Reads lines in a thread of its own, whatever becomes of standard output; ends with the input.
///
/// Lines come as bytes: whether they are text is for whoever understands them. A last line needs no line break.
pub(crate) fn start() -> UnboundedReceiver<Vec<u8>> {
    let (sender, receiver) = unbounded();
    std::thread::spawn(move || {
        let mut input = std::io::stdin().lock();
        loop {
            let mut line = Vec::new();
            match input.read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => return,
                Ok(_) if sender.unbounded_send(line).is_err() => return,
                Ok(_) => {}
            }
        }
    });
    receiver
}
