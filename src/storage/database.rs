//! The database file of a site.

use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};

use redb::{ReadableDatabase, ReadableTable, TableDefinition};

use super::form::{self, Form};
use super::writer::{Change, Medium};
use crate::ids::Extension;

const RECORDS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("records");
const ABOUT: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("about");

/// The version of all that is written. A reader of this version reads every lower one.
const FORMAT: u32 = 1;

/// A database that can't be used. It is left as it is.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder can't be made.
    #[error("can't make the folder {}: {source}", folder.display())]
    Folder {
        /// Which.
        folder: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Another process has it.
    #[error("{}: another process is using this database", file.display())]
    InUse {
        /// The file.
        file: PathBuf,
    },
    /// It can't be read or written.
    #[error("{}: the database can't be used: {why}; restore a copy, or move it away to begin without registrations", file.display())]
    Broken {
        /// The file.
        file: PathBuf,
        /// In the database's words.
        why: String,
    },
    /// A later release wrote it.
    #[error("{}: written by a later release (format {found}, this one reads up to {FORMAT})", file.display())]
    Newer {
        /// The file.
        file: PathBuf,
        /// Its version.
        found: u32,
    },
}

/// One site's database, open.
pub struct Database {
    file: PathBuf,
    with_ha1: bool,
    /// `None` after an error, until it is opened anew.
    db: Option<redb::Database>,
}

impl Database {
    /// Opens or makes the database of `site` in `folder`. `with_ha1`: what checks the digests of visitors is written too.
    pub fn open(folder: &Path, site: &str, with_ha1: bool) -> Result<Self, OpenError> {
        std::fs::create_dir_all(folder).map_err(|source| OpenError::Folder { folder: folder.to_path_buf(), source })?;
        let mut database = Self { file: folder.join(format!("{site}.redb")), with_ha1, db: None };
        let opened = guarded(|| redb::Database::create(&database.file)).map_err(|why| database.damaged(why))?;
        database.db = Some(opened.map_err(|why| database.refuse(&why))?);
        guarded(|| database.check_format()).map_err(|why| database.damaged(why))??;
        Ok(database)
    }

    fn damaged(&self, why: String) -> OpenError {
        OpenError::Broken { file: self.file.clone(), why }
    }

    fn refuse(&self, why: &redb::DatabaseError) -> OpenError {
        let file = self.file.clone();
        match why {
            redb::DatabaseError::DatabaseAlreadyOpen => OpenError::InUse { file },
            _ => OpenError::Broken { file, why: why.to_string() },
        }
    }

    fn broken(&self, why: &redb::Error) -> OpenError {
        OpenError::Broken { file: self.file.clone(), why: why.to_string() }
    }

    fn check_format(&self) -> Result<(), OpenError> {
        let found = self.about("format").map_err(|why| self.broken(&why))?;
        let found = found.and_then(|bytes| bytes.try_into().ok()).map(u32::from_le_bytes);
        match found {
            Some(found) if found > FORMAT => Err(OpenError::Newer { file: self.file.clone(), found }),
            Some(_) => Ok(()),
            None => self.set_about("format", &FORMAT.to_le_bytes()).map_err(|why| self.broken(&why)),
        }
    }

    /// Everything that is there. A record that can't be read is skipped and named in the second list.
    #[expect(clippy::type_complexity, reason = "what was read and what was not")]
    pub fn records(&self) -> Result<(Vec<(Extension, Form)>, Vec<String>), OpenError> {
        let read = || -> Result<_, redb::Error> {
            let (mut forms, mut unreadable) = (Vec::new(), Vec::new());
            let transaction = self.db()?.begin_read()?;
            let table = match transaction.open_table(RECORDS) {
                Ok(table) => table,
                Err(redb::TableError::TableDoesNotExist(_)) => return Ok((forms, unreadable)),
                Err(why) => return Err(why.into()),
            };
            for row in table.iter()? {
                let (key, value) = row?;
                match form::decode(value.value()) {
                    Ok(form) => forms.push((Extension::new(key.value()), form)),
                    Err(why) => unreadable.push(format!("{}: {why}", key.value())),
                }
            }
            Ok((forms, unreadable))
        };
        guarded(read).map_err(|why| self.damaged(why))?.map_err(|why| self.broken(&why))
    }

    /// The secret of Record-Route proofs; the one given is kept where there is none yet.
    pub fn routes_secret(&self, fresh: [u8; 32]) -> Result<[u8; 32], OpenError> {
        let known = self.about("routes").map_err(|why| self.broken(&why))?;
        if let Some(known) = known.and_then(|bytes| bytes.try_into().ok()) {
            return Ok(known);
        }
        self.set_about("routes", &fresh).map_err(|why| self.broken(&why))?;
        Ok(fresh)
    }

    fn try_write(&mut self, changes: &[Change<'_>]) -> Result<(), redb::Error> {
        if self.db.is_none() {
            self.db = Some(redb::Database::create(&self.file)?);
        }
        if changes.is_empty() {
            return self.set_about("format", &FORMAT.to_le_bytes());
        }
        let transaction = self.db()?.begin_write()?;
        {
            let mut table = transaction.open_table(RECORDS)?;
            for (extension, record) in changes {
                match record {
                    Some(record) => {
                        let written = form::encode(record, self.with_ha1);
                        table.insert(extension.as_str(), written.as_slice())?;
                    }
                    None => drop(table.remove(extension.as_str())?),
                }
            }
        }
        transaction.commit()?;
        Ok(())
    }

    fn db(&self) -> Result<&redb::Database, redb::Error> {
        self.db.as_ref().ok_or(redb::Error::DatabaseAlreadyOpen)
    }

    fn about(&self, key: &str) -> Result<Option<Vec<u8>>, redb::Error> {
        match self.db()?.begin_read()?.open_table(ABOUT) {
            Ok(table) => Ok(table.get(key)?.map(|value| value.value().to_vec())),
            Err(redb::TableError::TableDoesNotExist(_)) => Ok(None),
            Err(why) => Err(why.into()),
        }
    }

    fn set_about(&self, key: &str, value: &[u8]) -> Result<(), redb::Error> {
        let transaction = self.db()?.begin_write()?;
        transaction.open_table(ABOUT)?.insert(key, value)?;
        transaction.commit()?;
        Ok(())
    }
}

impl Medium for Database {
    fn write(&mut self, changes: &[Change<'_>]) -> Result<(), String> {
        let written = guarded(|| self.try_write(changes).map_err(|why| why.to_string()));
        written.and_then(|written| written).inspect_err(|_| {
            // A database that met an I/O error takes no more writes until it is opened anew.
            self.close();
        })
    }
}

impl Database {
    fn close(&mut self) {
        let db = self.db.take();
        let _ = guarded(|| drop(db));
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.close();
    }
}

/// redb panics where it finds what it never wrote; a damaged file is an error like any other.
fn guarded<T>(what: impl FnOnce() -> T) -> Result<T, String> {
    panic::catch_unwind(AssertUnwindSafe(what)).map_err(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "it is damaged".to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::LoginNumber;
    use crate::location::{Record, Resident};
    use crate::storage::fixtures::Folder;

    fn login(number: u64) -> Record {
        Record::Resident(Resident { login: LoginNumber(number), ..Resident::default() })
    }

    fn names(database: &Database) -> Vec<String> {
        database.records().expect("readable").0.iter().map(|(extension, _)| extension.to_string()).collect()
    }

    #[test]
    fn what_was_written_is_there_when_it_is_opened_again() {
        let folder = Folder::new("reopened");
        let (ada, bob) = (Extension::new("201"), Extension::new("202"));
        let mut database = Database::open(folder.path(), "london", false).expect("a new one");
        assert!(names(&database).is_empty());
        database.write(&[(&ada, Some(&login(1))), (&bob, Some(&login(2)))]).expect("written");
        database.write(&[(&ada, None)]).expect("written");
        let secret = database.routes_secret([7; 32]).expect("kept");
        drop(database);
        let database = Database::open(folder.path(), "london", false).expect("there");
        assert_eq!(names(&database), ["202"]);
        assert_eq!(database.routes_secret([8; 32]).expect("known"), secret);
    }

    #[test]
    fn two_processes_do_not_share_one() {
        let folder = Folder::new("shared");
        let _one = Database::open(folder.path(), "london", false).expect("a new one");
        let two = Database::open(folder.path(), "london", false);
        assert!(matches!(two, Err(OpenError::InUse { .. })), "{:?}", two.err());
    }

    #[test]
    fn a_later_format_is_refused_and_left_alone() {
        let folder = Folder::new("later");
        let database = Database::open(folder.path(), "london", false).expect("a new one");
        database.set_about("format", &(FORMAT + 1).to_le_bytes()).expect("written");
        drop(database);
        let refused = Database::open(folder.path(), "london", false).err().expect("refused");
        assert!(matches!(refused, OpenError::Newer { found, .. } if found == FORMAT + 1), "{refused}");
        assert!(refused.to_string().contains("london.redb"), "{refused}");
    }

    #[test]
    fn a_file_that_is_no_database_is_an_error_that_names_it_and_stays() {
        let folder = Folder::new("broken");
        std::fs::create_dir_all(folder.path()).expect("made");
        let file = folder.path().join("london.redb");
        let rubbish = b"not a database ".repeat(400);
        std::fs::write(&file, &rubbish).expect("written");
        let refused = Database::open(folder.path(), "london", false).err().expect("refused");
        assert!(refused.to_string().starts_with(&file.display().to_string()), "{refused}");
        assert_eq!(std::fs::read(&file).expect("there"), rubbish);
    }

    #[test]
    fn a_record_that_cannot_be_read_takes_no_other_with_it() {
        let folder = Folder::new("one-bad");
        let mut database = Database::open(folder.path(), "london", false).expect("a new one");
        database.write(&[(&Extension::new("201"), Some(&login(1)))]).expect("written");
        let transaction = database.db().expect("open").begin_write().expect("begun");
        transaction.open_table(RECORDS).expect("there").insert("202", b"{".as_slice()).expect("inserted");
        transaction.commit().expect("written");
        let (forms, unreadable) = database.records().expect("readable");
        assert_eq!((forms.len(), unreadable.len()), (1, 1));
        assert!(unreadable[0].starts_with("202: "), "{unreadable:?}");
    }
}
