//! Writing the files of a report: all of them whole, or none.

use crate::failure::Failure;
use std::ffi::OsStr;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// Where a report goes.
#[derive(Debug)]
pub struct Target {
    directory: PathBuf,
    page: String,
}

impl Target {
    /// Checks `--out` and makes its directory.
    ///
    /// # Errors
    /// When it names a directory, or its directory cannot be made.
    pub fn new(out: &Path) -> Result<Self, Failure> {
        let shown = out.display();
        let Some(page) = out.file_name().and_then(OsStr::to_str).filter(|_| !out.is_dir()) else {
            return Err(Failure::usage(format!(
                "{shown}: --out names a directory; name a file, e.g. {shown}/report.html"
            )));
        };
        if matches!(page, "summary.md" | "summary.json") {
            return Err(Failure::usage(format!(
                "{shown}: {page} is written beside the page; give --out another name"
            )));
        }
        let directory = match out.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
            _ => PathBuf::from("."),
        };
        std::fs::create_dir_all(&directory).map_err(|error| refused(&directory, &error))?;
        Ok(Self { directory, page: page.to_owned() })
    }

    /// Name of the page within its directory.
    pub fn page_name(&self) -> &str {
        &self.page
    }

    /// Path of the page.
    pub fn page_path(&self) -> PathBuf {
        if self.directory == Path::new(".") {
            PathBuf::from(&self.page)
        } else {
            self.directory.join(&self.page)
        }
    }

    /// Writes every file beside its final name, and renames only when all of them are on disk.
    ///
    /// # Errors
    /// When the directory is read-only, the disk is full, and so on; then no file was changed.
    pub fn write(&self, files: &[(&str, &str)]) -> Result<(), Failure> {
        let mut ready = Vec::new();
        for (name, content) in files {
            let path = self.directory.join(name);
            ready.push((self.temporary(content).map_err(|error| refused(&path, &error))?, path));
        }
        for (file, path) in ready {
            file.persist(&path).map_err(|error| refused(&path, &error.error))?;
        }
        Ok(())
    }

    fn temporary(&self, content: &str) -> io::Result<NamedTempFile> {
        let mut file = tempfile::Builder::new()
            .prefix(".report-")
            // The umask still applies; the default of tempfile (0600) would hide the report from its readers.
            .permissions(std::fs::Permissions::from_mode(0o666))
            .tempfile_in(&self.directory)?;
        file.write_all(content.as_bytes())?;
        file.as_file().sync_all()?;
        Ok(file)
    }
}

fn refused(path: &Path, error: &io::Error) -> Failure {
    let remedy = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "free some space or choose another --out"
        }
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            "a file stands where a directory is needed; choose another --out"
        }
        _ => "make the directory writable or choose another --out",
    };
    // The temporary name that some errors carry tells a reader nothing.
    let reason = error
        .raw_os_error()
        .map_or_else(|| error.kind().to_string(), |code| io::Error::from_raw_os_error(code).to_string());
    Failure::machine(format!("{}: not written: {reason}; {remedy}", path.display()))
}
