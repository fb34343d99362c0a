//! How bytes become WebSocket frames: text, binary, in pieces of every size.

use bytes::Bytes;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

/// A text message in one frame; its bytes need not be UTF-8.
pub(super) fn text_frame(bytes: Bytes) -> Frame {
    Frame::message(bytes, OpCode::Data(Data::Text), true)
}

/// One message in one frame.
pub(super) fn whole(bytes: Bytes, kind: Data) -> Vec<Frame> {
    vec![Frame::message(bytes, OpCode::Data(kind), true)]
}

/// Many messages of about `size` bytes; those of text end where characters do.
pub(super) fn messages(mut bytes: Bytes, kind: Data, size: usize) -> Vec<Frame> {
    let mut frames = Vec::new();
    while !bytes.is_empty() {
        let mut end = size.max(1).min(bytes.len());
        while kind == Data::Text && bytes.get(end).is_some_and(|byte| is_inside_character(*byte)) {
            end += 1;
        }
        frames.push(Frame::message(bytes.split_to(end), OpCode::Data(kind), true));
    }
    frames
}

/// One message in fragments of `size` bytes, with pings between them or without.
pub(super) fn fragments(mut bytes: Bytes, kind: Data, size: usize, with_pings: bool) -> Vec<Frame> {
    let mut frames = Vec::new();
    let mut opcode = OpCode::Data(kind);
    loop {
        let fragment = bytes.split_to(size.max(1).min(bytes.len()));
        let is_last = bytes.is_empty();
        frames.push(Frame::message(fragment, opcode, is_last));
        if is_last {
            return frames;
        }
        if with_pings {
            frames.push(Frame::ping(Bytes::new()));
        }
        opcode = OpCode::Data(Data::Continue);
    }
}

fn is_inside_character(byte: u8) -> bool {
    byte & 0b1100_0000 == 0b1000_0000
}

#[cfg(test)]
mod tests {
    use tokio_tungstenite::tungstenite::protocol::frame::coding::Control;

    use super::*;

    fn payloads(frames: &[Frame]) -> Vec<Vec<u8>> {
        frames.iter().map(|frame| frame.payload().to_vec()).collect()
    }

    #[test]
    fn messages_of_text_never_break_a_character_and_lose_nothing() {
        let text = "aé🦀b\u{1e}";
        for size in 1..=text.len() {
            let frames = messages(Bytes::from(text), Data::Text, size);
            assert!(payloads(&frames).iter().all(|part| std::str::from_utf8(part).is_ok()), "{size}");
            assert_eq!(payloads(&frames).concat(), text.as_bytes(), "{size}");
            assert!(frames.iter().all(|frame| frame.header().is_final));
        }
    }

    #[test]
    fn fragments_are_one_message_with_one_end() {
        let frames = fragments(Bytes::from("aé"), Data::Text, 1, true);
        let kinds: Vec<_> = frames.iter().map(|frame| (frame.header().opcode, frame.header().is_final)).collect();
        let ping = (OpCode::Control(Control::Ping), true);
        let more = |last| (OpCode::Data(Data::Continue), last);
        assert_eq!(kinds, [(OpCode::Data(Data::Text), false), ping, more(false), ping, more(true)]);
        assert_eq!(payloads(&frames).concat(), "aé".as_bytes());
    }
}
