//! The ELF modules of this process, as the dynamic linker knows them.
#![allow(unsafe_code)]

use std::ffi::{CStr, OsStr, c_int, c_void};
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::slice;

/// One loaded file.
#[derive(Debug, Clone)]
pub(crate) struct Module {
    /// The file; for the main program, `/proc/self/exe` resolved.
    pub path: PathBuf,
    /// What is added to an address in the file.
    pub bias: usize,
    /// Where its loaded segments are.
    pub segments: Vec<Range<usize>>,
    /// The calling thread's block of this module's thread-local storage, where it has one already.
    pub tls: Option<Range<usize>>,
}

impl Module {
    /// Last part of the path.
    pub fn name(&self) -> String {
        self.path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    }

    /// Whether the address is in it.
    pub fn contains(&self, address: usize) -> bool {
        self.segments.iter().any(|segment| segment.contains(&address))
    }
}

/// All modules, the main program first.
pub(crate) fn all() -> Vec<Module> {
    let mut modules: Vec<Module> = Vec::new();
    // SAFETY: the callback has the type that is expected, and its data outlives the call.
    unsafe { libc::dl_iterate_phdr(Some(collect), (&raw mut modules).cast()) };
    modules
}

/// The libpython of this process. The main program is never it: a static interpreter cannot embed this crate.
pub(crate) fn libpython() -> Option<Module> {
    all().into_iter().find(|module| module.name().starts_with("libpython3."))
}

/// The module that has `address` in one of its segments.
pub(crate) fn containing(address: usize) -> Option<Module> {
    all().into_iter().find(|module| module.contains(address))
}

unsafe extern "C" fn collect(info: *mut libc::dl_phdr_info, _size: usize, data: *mut c_void) -> c_int {
    // SAFETY: the dynamic linker passes a valid description, and `data` is the vector that `all` passed.
    let (info, modules) = unsafe { (&*info, &mut *data.cast::<Vec<Module>>()) };
    // SAFETY: the description holds this many headers, and a NUL-terminated name or none.
    let (headers, name) = unsafe {
        let headers = slice::from_raw_parts(info.dlpi_phdr, usize::from(info.dlpi_phnum));
        (headers, if info.dlpi_name.is_null() { c"" } else { CStr::from_ptr(info.dlpi_name) })
    };
    let path = if name.is_empty() && modules.is_empty() {
        std::env::current_exe().unwrap_or_else(|_| PathBuf::from("/proc/self/exe"))
    } else {
        PathBuf::from(OsStr::from_bytes(name.to_bytes()))
    };
    let bias = info.dlpi_addr as usize;
    let range = |start: usize, size: u64| start..start + size as usize;
    let of_type = |wanted| headers.iter().filter(move |header| header.p_type == wanted);
    let block = info.dlpi_tls_data as usize;
    modules.push(Module {
        path,
        bias,
        segments: of_type(libc::PT_LOAD)
            .map(|header| range(bias.wrapping_add(header.p_vaddr as usize), header.p_memsz))
            .collect(),
        tls: of_type(libc::PT_TLS).next().filter(|_| block != 0).map(|header| range(block, header.p_memsz)),
    });
    0
}
