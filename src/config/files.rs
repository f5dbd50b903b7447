//! Where the files of a configuration are: on the disk, or in memory for `hotdesk demo`.

use std::collections::BTreeMap;
use std::io::{Error, ErrorKind, Result};
use std::path::{Path, PathBuf};

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
    /// What the system says; `NotFound` for what is not in memory.
    pub fn bytes(&self, path: &Path) -> Result<Vec<u8>> {
        match self {
            Self::Disk => std::fs::read(path),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_in_memory_is_not_found() {
        let files = Files::Memory(BTreeMap::from([("sites/a.toml".into(), "x".to_owned())]));
        assert_eq!(files.text(Path::new("sites/a.toml")).expect("it is there"), "x");
        assert_eq!(files.text(Path::new("/etc/hostname")).expect_err("it is not there").kind(), ErrorKind::NotFound);
    }
}
