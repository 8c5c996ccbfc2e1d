//! A file that gives only so much.
//!
//! The cache that files are read through keeps every range that was asked for, overlapping ones anew. Tables of a damaged file may
//! all point to the same name of four kilobytes: without a bound, a file of 100 MB takes 17 GB to read.

use std::io::{self, Read, Seek, SeekFrom};

/// Bytes that any file may give.
const FIXED: u64 = 16 << 20;
/// Bytes for each byte of the file. A symbol has 24 bytes and a name; 256 bytes are read to find the name's end.
const TIMES: u64 = 8;

/// Fails every read after the first few times the length of `file`.
#[derive(Debug)]
pub struct Bounded<R> {
    file: R,
    left: u64,
}

impl<R: Seek> Bounded<R> {
    /// # Errors
    /// The length cannot be found.
    pub fn new(mut file: R) -> io::Result<Self> {
        let len = file.seek(SeekFrom::End(0))?;
        Ok(Bounded { file, left: len.saturating_mul(TIMES).saturating_add(FIXED) })
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 && !into.is_empty() {
            return Err(io::Error::other(
                "its tables ask for more than a file of its size can need; it is damaged",
            ));
        }
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(into.len());
        let read = self.file.read(&mut into[..most])?;
        self.left -= read as u64;
        Ok(read)
    }
}

impl<R: Seek> Seek for Bounded<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    #[test]
    fn a_file_may_be_read_some_times_but_not_for_ever() {
        let mut file = Bounded::new(Cursor::new(vec![7; 4 << 20])).unwrap();
        let mut into = vec![0; 4 << 20];
        let mut times = 0;
        while file.rewind().and_then(|()| file.read_exact(&mut into)).is_ok() {
            times += 1;
            assert!(times < 100, "no end");
        }
        assert_eq!(times, 12);
    }
}
