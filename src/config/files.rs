//! Where the files of a configuration are: on the disk, or in memory for `hotdesk demo`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Error, ErrorKind, Read as _, Result};
use std::path::{Path, PathBuf};

/// Longest file of a configuration in bytes: a hundred thousand users have a fifth of it.
pub const LONGEST: u64 = 64 << 20;

/// What a path is read from.
#[derive(Clone, Debug, Default)]
pub enum Files {
    /// The file system.
    #[default]
    Disk,
    /// These texts; no other file is there.
    Memory(BTreeMap<PathBuf, String>),
}

impl Files {
    /// The whole file.
    ///
    /// # Errors
    ///
    /// What the system says; `NotFound` for what is not in memory; `InvalidInput` for what is no regular file (a pipe may never end),
    /// and `FileTooLarge` for more than [`LONGEST`].
    pub fn bytes(&self, path: &Path) -> Result<Vec<u8>> {
        match self {
            Self::Disk => read_regular(path),
            Self::Memory(texts) => {
                texts.get(path).map(|text| text.clone().into_bytes()).ok_or_else(|| ErrorKind::NotFound.into())
            }
        }
    }

    /// The whole file as text.
    ///
    /// # Errors
    ///
    /// As [`bytes`](Self::bytes), and `InvalidData` for what is not UTF-8.
    pub fn text(&self, path: &Path) -> Result<String> {
        String::from_utf8(self.bytes(path)?)
            .map_err(|_| Error::new(ErrorKind::InvalidData, "stream did not contain valid UTF-8"))
    }
}

fn read_regular(path: &Path) -> Result<Vec<u8>> {
    // Looked at before it is opened: to open a pipe waits for somebody who writes.
    if !std::fs::metadata(path)?.is_file() {
        return Err(Error::new(ErrorKind::InvalidInput, "it is not a regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(LONGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LONGEST {
        return Err(Error::new(ErrorKind::FileTooLarge, format!("it is longer than {} MiB", LONGEST >> 20)));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_in_memory_is_not_found() {
        let files = Files::Memory(BTreeMap::from([("sites/a.toml".into(), "x".to_owned())]));
        assert_eq!(files.text(Path::new("sites/a.toml")).expect("it is there"), "x");
        assert_eq!(files.text(Path::new("/etc/hostname")).expect_err("it is not there").kind(), ErrorKind::NotFound);
    }

    #[test]
    fn what_is_no_regular_file_or_too_long_is_not_read() {
        for other in ["/dev/zero", "/"] {
            assert_eq!(Files::Disk.text(Path::new(other)).expect_err(other).kind(), ErrorKind::InvalidInput);
        }
        let path = std::env::temp_dir().join(format!("hotdesk-files-{}", std::process::id()));
        for (length, is_read) in [(LONGEST, true), (LONGEST + 1, false)] {
            File::create(&path).and_then(|file| file.set_len(length)).expect("a sparse file");
            assert_eq!(Files::Disk.bytes(&path).is_ok(), is_read, "{length}");
        }
        std::fs::remove_file(&path).expect("it is there");
    }
}
