//! The configuration: the sample network loads without a word, and every mistake is named where it stands.

mod bad_examples;
mod bad_network;
mod no_effect;
mod sample_dialling;
mod sample_network;
mod what_is_read;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// A folder for one test, gone at its end.
pub struct Folder(PathBuf);

impl Folder {
    /// With these files in it.
    pub fn with(files: &[(&str, &str)]) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("hotdesk-config-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let folder = Self(std::env::temp_dir().join(name));
        for (name, text) in files {
            let path = folder.path(name);
            std::fs::create_dir_all(path.parent().expect("a file has a folder")).expect("the folder can be made");
            std::fs::write(path, text).expect("the file can be written");
        }
        folder
    }

    /// A file in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// A text with the folder taken out of it.
    pub fn plain(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.0.display()), "")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A text without the line numbers of the files that it names: a snapshot of a sample outlives a new line in it.
pub fn without_lines(text: &str) -> String {
    let mut parts = text.split(".toml:");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |said, part| said + ".toml:" + part.trim_start_matches(|c: char| c.is_ascii_digit()))
}

/// The sample network of this repository.
pub fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config/network.toml")
}
