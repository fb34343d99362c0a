//! Short text that costs no allocation.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::ser::{Serialize, Serializer};

/// What fits beside the length and the tag, so that a [`Text`] fills 24 bytes.
const INLINE: usize = 22;

/// A text that is kept in place up to 22 bytes and on the heap beyond.
///
/// It compares, orders and hashes as the `str` it holds, so a map with such keys can be asked with a `&str`. Cloning
/// one of the usual length copies 24 bytes.
#[derive(Clone)]
pub struct Text(Repr);

#[derive(Clone)]
enum Repr {
    Inline { length: u8, bytes: [u8; INLINE] },
    Heap(Box<str>),
}

impl Text {
    /// Copies a text.
    #[inline]
    pub fn new(text: &str) -> Self {
        match (padded(text.as_bytes()), u8::try_from(text.len())) {
            (Some(bytes), Ok(length)) => Self(Repr::Inline { length, bytes }),
            _ => Self(Repr::Heap(text.into())),
        }
    }

    /// Returns the text.
    #[inline]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Repr::Inline { .. } => std::str::from_utf8(self.as_bytes()).expect("the bytes were copied from a str"),
            Repr::Heap(text) => text,
        }
    }

    #[inline]
    fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Repr::Inline { length, bytes } => {
                bytes.get(..usize::from(*length)).expect("the length was that of the copied str")
            }
            Repr::Heap(text) => text.as_bytes(),
        }
    }
}

/// The bytes, with zeros behind them, if there is room for them.
///
/// Two pieces of a fixed size, which may overlap, are copied in two instructions; one of any size is a call.
#[inline]
fn padded(text: &[u8]) -> Option<[u8; INLINE]> {
    let mut bytes = [0; INLINE];
    let place = bytes.get_mut(..text.len())?;
    if let (Some(first), Some(last)) = (text.first_chunk::<8>(), text.last_chunk::<8>()) {
        if let (Some(rest), Some(middle)) = (place.get_mut(8..16), text.get(8..16)) {
            rest.copy_from_slice(middle);
        }
        *place.first_chunk_mut()? = *first;
        *place.last_chunk_mut()? = *last;
    } else if let (Some(first), Some(last)) = (text.first_chunk::<4>(), text.last_chunk::<4>()) {
        *place.first_chunk_mut()? = *first;
        *place.last_chunk_mut()? = *last;
    } else {
        for (to, from) in place.iter_mut().zip(text) {
            *to = *from;
        }
    }
    Some(bytes)
}

impl Default for Text {
    fn default() -> Self {
        Self::new("")
    }
}

impl From<&str> for Text {
    #[inline]
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        // A long text keeps its allocation; equal texts still have one shape, since the length alone decides.
        if text.len() > INLINE { Self(Repr::Heap(text.into_boxed_str())) } else { Self::new(&text) }
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl Borrow<str> for Text {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl PartialEq for Text {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Text {}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl PartialOrd for Text {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Text {
    fn cmp(&self, other: &Self) -> Ordering {
        // UTF-8 orders by bytes as str does.
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // `Borrow<str>` promises the hash of the str.
        self.as_str().hash(state);
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.as_str(), f)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Text {
    #[inline]
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor)
    }
}

struct TextVisitor;

impl Visitor<'_> for TextVisitor {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    #[inline]
    fn visit_str<E: Error>(self, text: &str) -> Result<Text, E> {
        Ok(Text::new(text))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Text, E> {
        Ok(Text::from(text))
    }
}
