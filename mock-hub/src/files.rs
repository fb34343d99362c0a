//! Files that somebody named: read to their limit and no further, and named in every error.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The text of a file of at most `max` bytes. What a file says of its own length is not believed: a device has none.
pub(crate) fn read(path: &Path, max: u64) -> io::Result<String> {
    let mut text = String::new();
    let file = File::open(path).map_err(|error| named(path, &error))?;
    file.take(max + 1).read_to_string(&mut text).map_err(|error| named(path, &error))?;
    if text.len() as u64 > max {
        return Err(named(path, &io::Error::new(io::ErrorKind::InvalidData, format!("more than {max} bytes"))));
    }
    Ok(text)
}

/// The error with the file's name in front.
pub(crate) fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_to_its_limit_and_an_error_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.toml");
        assert!(read(&path, 10).unwrap_err().to_string().contains("a.toml"));
        std::fs::write(&path, "0123456789").unwrap();
        assert_eq!(read(&path, 10).unwrap(), "0123456789");
        assert!(read(&path, 9).unwrap_err().to_string().ends_with("a.toml: more than 9 bytes"));
        #[cfg(unix)]
        assert!(read(Path::new("/dev/zero"), 9).is_err());
    }
}
