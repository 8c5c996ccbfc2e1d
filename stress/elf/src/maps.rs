//! The files that a process has mapped, from /proc/PID/maps.

use std::ffi::OsString;
use std::io;
use std::ops::Range;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// One mapping of a part of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// Addresses.
    pub addresses: Range<u64>,
    /// Where the part begins in the file, bytes.
    pub offset: u64,
    /// Mapped with the right to execute.
    pub executable: bool,
}

/// One file with its mappings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapped {
    /// The name as the process sees it, with ` (deleted)` behind it when it has no such name any more.
    pub name: PathBuf,
    /// By address.
    pub regions: Vec<Region>,
}

const DELETED: &[u8] = b" (deleted)";

impl Mapped {
    /// Last part of the name.
    pub fn file_name(&self) -> String {
        self.name.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    }

    /// Where the file can be opened from here; when nowhere, a place whose error says why.
    pub fn place(&self, pid: i32) -> PathBuf {
        // `/`, also for a container, which has mounts of its own; the directory of a plain chroot.
        let root = std::fs::read_link(format!("/proc/{pid}/root")).unwrap_or_else(|_| "/".into());
        let places = self.places(pid, &root);
        places.iter().find(|place| place.metadata().is_ok()).unwrap_or(&places[0]).clone()
    }

    /// By a mapping: exactly the mapped file, whatever became of its name, but only for root (CAP_CHECKPOINT_RESTORE). Under the
    /// root directory of the process: names are those inside a container, and in a chroot those outside, with its directory in
    /// front. As it is: mapped before the process changed its root.
    fn places(&self, pid: i32, root: &Path) -> [PathBuf; 3] {
        let process = PathBuf::from(format!("/proc/{pid}"));
        let addresses = self.regions.first().map_or(0..0, |region| region.addresses.clone());
        let inside = self.name.strip_prefix(root).or_else(|_| self.name.strip_prefix("/"));
        [
            process.join("map_files").join(format!("{:x}-{:x}", addresses.start, addresses.end)),
            process.join("root").join(inside.unwrap_or(&self.name)),
            self.name.clone(),
        ]
    }

    /// Whether the name says that the file is gone.
    pub fn is_deleted(&self) -> bool {
        self.name.as_os_str().as_bytes().ends_with(DELETED)
    }
}

/// The files that process `pid` maps, in the order of their addresses.
///
/// # Errors
/// There is no such process, or no right to look at it.
pub fn of(pid: i32) -> io::Result<Vec<Mapped>> {
    Ok(parse(&std::fs::read(Path::new("/proc").join(pid.to_string()).join("maps"))?))
}

/// The text of such a file: `START-END PERMS OFFSET DEVICE INODE    NAME` in a line, all numbers hexadecimal but the inode. Lines
/// without a file are skipped.
#[must_use]
pub fn parse(text: &[u8]) -> Vec<Mapped> {
    let mut files: Vec<Mapped> = Vec::new();
    for (region, name) in text.split(|byte| *byte == b'\n').filter_map(line) {
        match files.iter_mut().find(|file| file.name == name) {
            Some(file) => file.regions.push(region),
            None => files.push(Mapped { name, regions: vec![region] }),
        }
    }
    files
}

fn line(line: &[u8]) -> Option<(Region, PathBuf)> {
    // The name is the rest of the line and may hold spaces; everything before it is ASCII.
    let slash = line.iter().position(|byte| *byte == b'/')?;
    let (fields, name) = line.split_at(slash);
    let mut fields = str::from_utf8(fields).ok()?.split_ascii_whitespace();
    let (start, end) = fields.next()?.split_once('-')?;
    let permissions = fields.next()?;
    let hex = |text: &str| u64::from_str_radix(text, 16).ok();
    let region = Region {
        addresses: hex(start)?..hex(end)?,
        offset: hex(fields.next()?)?,
        executable: permissions.as_bytes().get(2) == Some(&b'x'),
    };
    Some((region, PathBuf::from(OsString::from_vec(unescape(name)))))
}

/// The kernel writes a newline in a name as `\012`, and nothing else so.
fn unescape(name: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(name.len());
    let mut rest = name;
    while let Some((first, more)) = rest.split_first() {
        let newline = rest.strip_prefix(br"\012");
        plain.push(if newline.is_some() { b'\n' } else { *first });
        rest = newline.unwrap_or(more);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn lines_of_every_sort() {
        let text = b"\
00400000-00420000 r--p 00000000 00:1d 77       /usr/bin/python3.15\n\
00420000-009b0000 r-xp 00020000 00:1d 77       /usr/bin/python3.15\n\
01c2d000-01d90000 rw-p 00000000 00:00 0        [heap]\n\
7f0000000000-7f0000001000 rw-p 00000000 00:00 0 \n\
7f0000001000-7f0000002000 r--s 00003000 00:1d 9 /a b/lib\\012x.so (deleted)\n\
7ffd00000000-7ffd00001000 r-xp 00000000 00:00 0 [vdso]\n";
        let files = parse(text);
        let names: Vec<_> = files.iter().map(|file| file.name.to_str().unwrap()).collect();
        assert_eq!(names, ["/usr/bin/python3.15", "/a b/lib\nx.so (deleted)"]);
        assert_eq!(
            files[0].regions,
            [
                Region { addresses: 0x40_0000..0x42_0000, offset: 0, executable: false },
                Region { addresses: 0x42_0000..0x9b_0000, offset: 0x2_0000, executable: true },
            ]
        );
        assert_eq!(files[1].regions[0].offset, 0x3000);
        assert_eq!([files[0].is_deleted(), files[1].is_deleted()], [false, true]);
        for (root, under_root) in [
            ("/", "/proc/7/root/usr/bin/python3.15"),
            ("/usr", "/proc/7/root/bin/python3.15"),
            ("/elsewhere", "/proc/7/root/usr/bin/python3.15"),
        ] {
            let places = files[0].places(7, Path::new(root)).map(|place| place.display().to_string());
            assert_eq!(places, ["/proc/7/map_files/400000-420000", under_root, "/usr/bin/python3.15"]);
        }
    }

    #[test]
    fn our_own_map_has_this_program() {
        let own = std::env::current_exe().unwrap();
        let files = of(std::process::id() as i32).unwrap();
        let file = files.iter().find(|file| file.name == own).expect("mapped");
        let (place, own) = (file.place(std::process::id() as i32), std::fs::metadata(&own).unwrap());
        assert_eq!(std::fs::metadata(place).unwrap().ino(), own.ino());
        assert!(file.regions.iter().any(|region| region.executable));
    }
}
