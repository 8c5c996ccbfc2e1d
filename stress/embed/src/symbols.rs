//! Addresses of symbols, and symbols of addresses.
#![allow(unsafe_code)]

use crate::module::{self, Module};
use sigwalk_elf::symtab::Symtab;
use std::ffi::CString;

/// How a symbol was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// In a dynamic symbol table: part of what the library offers.
    Exported,
    /// Only in .symtab, which distributions strip.
    Hidden,
}

/// A symbol in this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Address in this process.
    pub addr: usize,
    /// Bytes; 0 where the file does not say.
    pub size: u64,
    /// How it was found.
    pub how: How,
}

/// The function or object called `name`: as exported by any module, else as hidden in the loaded libpython. Thread-local symbols
/// are not found, since they have no one address.
#[must_use]
pub fn find(name: &str) -> Option<Found> {
    exported(name).or_else(|| hidden(name))
}

fn exported(name: &str) -> Option<Found> {
    let c_name = CString::new(name).ok()?;
    // SAFETY: a NUL-terminated name. The symbol is not called and not dereferenced here.
    let addr = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c_name.as_ptr()) } as usize;
    let module = module::containing(addr).filter(|_| addr != 0)?;
    let size = Symtab::of(&module.path).at(offset(&module, addr), name).map_or(0, |symbol| symbol.size);
    Some(Found { addr, size, how: How::Exported })
}

fn hidden(name: &str) -> Option<Found> {
    let module = module::libpython()?;
    let table = Symtab::of(&module.path);
    let symbol = table.by_name(name)?;
    Some(Found {
        addr: module.bias.wrapping_add(symbol.address as usize),
        size: symbol.size,
        how: How::Hidden,
    })
}

/// Says where an address is, for a crash title: `libpython3.15.so.1.0+0x1234 (in PyObject_Call+0x10)`. `near` instead of `in`
/// means that the address lies behind the end of the nearest function that still has a name, which is usual in a stripped
/// library. Without any module it is the plain address.
///
/// Valid for a crashed process too, if that was forked from this one and loaded nothing since.
#[must_use]
pub fn describe(pc: usize) -> String {
    let Some(module) = module::containing(pc) else { return format!("{pc:#x}") };
    let offset = offset(&module, pc);
    let place = format!("{}+{offset:#x}", module.name());
    let table = Symtab::of(&module.path);
    let Some(symbol) = table.function_before(offset) else { return place };
    let into = offset - symbol.address;
    let relation = if into < symbol.size { "in" } else { "near" };
    // Without the hash: the same function has the same name in every build, and one bucket.
    let name = rustc_demangle::demangle(&symbol.name);
    format!("{place} ({relation} {name:#}+{into:#x})")
}

/// As [`describe`], for an address `pc` of another process that runs the same files. Each of `anchors` is the address of one thing
/// there and here, which tells where that module was loaded.
#[must_use]
pub fn describe_elsewhere(pc: usize, anchors: &[(usize, usize)]) -> String {
    let here = anchors.iter().find_map(|&(there, here)| {
        let moved = pc.wrapping_sub(there).wrapping_add(here);
        module::containing(here).filter(|module| there != 0 && module.contains(moved)).map(|_| moved)
    });
    here.map_or_else(|| format!("{pc:#x}"), describe)
}

/// The address in the module's file.
fn offset(module: &Module, address: usize) -> u64 {
    address.wrapping_sub(module.bias) as u64
}
