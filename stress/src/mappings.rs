//! What this process has mapped, with the rights to it.
#![allow(unsafe_code)]

use std::ops::Range;
use std::path::PathBuf;

/// One mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// Addresses.
    pub addresses: Range<u64>,
    /// `PROT_READ` and its like.
    pub protection: i32,
    /// Writes are seen by this process alone.
    pub private: bool,
    /// The file that is mapped.
    pub file: Option<PathBuf>,
    /// What the kernel calls it otherwise: `[heap]`, `[stack]`.
    pub name: Option<String>,
}

/// The mappings of this process, by address.
///
/// # Errors
/// There is no /proc.
pub fn own() -> std::io::Result<Vec<Mapping>> {
    Ok(std::fs::read_to_string("/proc/self/maps")?.lines().filter_map(parse).collect())
}

/// `START-END PERMS OFFSET DEVICE INODE    NAME`
fn parse(line: &str) -> Option<Mapping> {
    let mut fields = line.split_ascii_whitespace();
    let (start, end) = fields.next()?.split_once('-')?;
    let number = |text| u64::from_str_radix(text, 16).ok();
    let rights = fields.next()?;
    let private = rights.ends_with('p');
    let protection =
        rights.bytes().zip([(b'r', libc::PROT_READ), (b'w', libc::PROT_WRITE), (b'x', libc::PROT_EXEC)]);
    let protection = protection.filter(|(found, (right, _))| found == right).map(|(_, (_, bit))| bit).sum();
    // Names have spaces, and begin with a slash: the four fields before do not.
    let file = line.split_once('/').map(|(_, name)| PathBuf::from(format!("/{name}")));
    let name = line.split_once(" [").filter(|_| file.is_none()).map(|(_, name)| format!("[{name}"));
    Some(Mapping { addresses: number(start)?..number(end)?, protection, private, file, name })
}

/// The alternate signal stack of the calling thread; empty where it has none.
pub fn signal_stack() -> Range<u64> {
    // SAFETY: all-zero is a valid stack_t, and asking changes nothing.
    let stack = unsafe {
        let mut stack: libc::stack_t = std::mem::zeroed();
        libc::sigaltstack(std::ptr::null(), &raw mut stack);
        stack
    };
    if stack.ss_flags & libc::SS_DISABLE != 0 {
        return 0..0;
    }
    stack.ss_sp as u64..stack.ss_sp as u64 + stack.ss_size as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_maps() {
        let line = "7f00-7f01 rw-p 00000000 fe:01 123   /a dir/lib.so (deleted)";
        let mapping = parse(line).unwrap();
        assert_eq!(mapping.addresses, 0x7f00..0x7f01);
        assert_eq!(mapping.protection, libc::PROT_READ | libc::PROT_WRITE);
        assert_eq!(mapping.file, Some("/a dir/lib.so (deleted)".into()));
        assert!(mapping.private && mapping.name.is_none());
        let stack = parse("1-2 ---s 0 00:00 0      [stack]").unwrap();
        assert_eq!((stack.protection, stack.private, stack.file), (0, false, None));
        assert_eq!(stack.name.as_deref(), Some("[stack]"));
        let here = &raw const mapping as u64;
        assert!(own().unwrap().iter().any(|mapping| mapping.addresses.contains(&here)));
    }
}
