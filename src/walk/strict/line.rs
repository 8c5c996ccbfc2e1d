//! The line of a frame whose code is believed: out of the cache where the request has one, else out of the line table.

use crate::addr::Addr;
use crate::checks::{Check, Checks};
use crate::interpreter::Interpreter;
use crate::line_cache::{Key, LineCache, fingerprint};
use crate::line_table::{self, LineError, MAX_TABLE};
use crate::reader::{Block, POISON, Reader};
use crate::walk::{At, Detail, Rejected, Request, Site, Stop};

/// How lines are looked up in one walk.
pub(super) struct Lines<'a, C, R> {
    checks: C,
    reader: &'a R,
    interpreter: &'a Interpreter,
    cache: Option<Cached<'a>>,
}

/// The cache, and what is the same in all keys of a walk.
struct Cached<'a> {
    lines: &'a LineCache,
    interp: Addr,
    /// 3.14+
    generation: Option<u64>,
    /// Offset of `co_version`, 3.12+.
    version: Option<u32>,
}

/// A table that was found, and not looked into yet.
struct Table {
    first: i32,
    at: Addr,
    len: u64,
}

impl<'a, C: Checks, R: Reader> Lines<'a, C, R> {
    /// Reads the generation, once a walk. A code object that another thread frees after that moment gets a generation that no
    /// key of this walk has, so an entry that this walk makes of its successor by mistake is found by no later walk.
    #[inline(always)]
    pub(super) fn new(checks: C, reader: &'a R, request: &Request<'a>) -> Self {
        let interpreter = request.interpreter;
        let cache = request
            .lines
            .filter(|_| request.detail == Detail::Line)
            .and_then(|lines| Cached::new(reader, request, lines));
        Lines { checks, reader, interpreter, cache }
    }

    #[inline(always)]
    pub(super) fn line(&self, code: Addr, lasti: i32) -> Result<i32, Stop> {
        match &self.cache {
            None => self.look_up(&self.table(code)?, lasti),
            Some(cached) => match self.known(cached, code, lasti) {
                Some(line) => Ok(line),
                None => self.look_up_and_keep(cached, code, lasti),
            },
        }
    }

    /// Loads are not checked for faults here: a key with a poisoned word is no key that was kept.
    #[inline(always)]
    fn known(&self, cached: &Cached<'_>, code: Addr, lasti: i32) -> Option<i32> {
        let (reader, layout) = (self.reader, &self.interpreter.layout);
        let first = reader.u32_or_poison(code, layout.code.firstlineno) as i32;
        let at = Addr::new(reader.u64_or_poison(code, layout.code.linetable));
        if !at.is_pointer_shaped() {
            return None;
        }
        let len = reader.u64_or_poison(at, layout.text.bytes_size);
        cached.lines.get(&self.key(cached, code, &Table { first, at, len }, lasti)?)
    }

    /// `None` where nothing tells this code object from an earlier one at its address.
    #[inline(always)]
    fn key(&self, cached: &Cached<'_>, code: Addr, table: &Table, lasti: i32) -> Option<Key> {
        if table.len > MAX_TABLE {
            return None;
        }
        let len = table.len as u32;
        let (version, context) = match (cached.version, cached.generation) {
            (Some(version), Some(generation)) => (self.reader.u32_or_poison(code, version), generation),
            (Some(version), None) => match self.reader.u32_or_poison(code, version) {
                0 => return None,
                version => (version, 0),
            },
            (None, _) => {
                let data = table.at.plus(self.interpreter.layout.text.bytes_data);
                (0, fingerprint(self.reader, data, len)?)
            }
        };
        let Table { first, at, .. } = *table;
        Some(Key { code, lasti, table: at, len, first, version, interp: cached.interp, context })
    }

    #[inline(never)]
    fn look_up_and_keep(&self, cached: &Cached<'_>, code: Addr, lasti: i32) -> Result<i32, Stop> {
        let table = self.table(code)?;
        let key = self.key(cached, code, &table, lasti);
        let line = self.look_up(&table, lasti)?;
        // The code object may have died while its table was looked into, and another one have taken its place: the line is kept
        // only under a key that was the same before and after. A version that may be no value costs an entry where it is one.
        if let Some(key) = key
            && key.version != POISON as u32
            && self.key(cached, code, &self.table(code)?, lasti) == Some(key)
        {
            cached.lines.put(&key, line);
        }
        Ok(line)
    }

    /// The table of a code object, as far as it is believed before it is looked into.
    #[inline(always)]
    fn table(&self, code: Addr) -> Result<Table, Stop> {
        let (reader, layout) = (self.reader, &self.interpreter.layout);
        let first = reader.u32_at(code, layout.code.firstlineno).at(Site::CodeFirstlineno)? as i32;
        let at = reader.addr_at(code, layout.code.linetable).at(Site::CodeLinetable)?;
        if self.checks.has(Check::TableShape) && !at.is_pointer_shaped() {
            return Err(Rejected::Linetable.into());
        }
        if self.checks.has(Check::TableType) {
            self.check_type(at)?;
        }
        let len = reader.u64_at(at, layout.text.bytes_size).at(Site::LinetableSize)?;
        Ok(Table { first, at, len })
    }

    #[inline(always)]
    fn check_type(&self, table: Addr) -> Result<(), Stop> {
        let offset = self.interpreter.layout.code.ob_type;
        match self.reader.addr_at(table, offset).at(Site::LinetableType)? {
            found if found == self.interpreter.bytes_type => Ok(()),
            _ => Err(Rejected::Linetable.into()),
        }
    }

    #[inline(always)]
    fn look_up(&self, table: &Table, lasti: i32) -> Result<i32, Stop> {
        let data = table.at.plus(self.interpreter.layout.text.bytes_data);
        if !self.checks.has(Check::TableBounds) {
            let line = line_table::line_at_as_cpython(self.reader, data, table.len, table.first, lasti);
            return line.at(Site::Linetable);
        }
        self.reader.prefetch(core::iter::once(Block { at: data, len: line_table::needed(table.len, lasti) }));
        match line_table::line_at(self.reader, data, table.len, table.first, lasti) {
            Ok(line) => Ok(line.or_minus_one()),
            Err(LineError::Fault(fault)) => Err(fault).at(Site::Linetable),
            Err(_) => Err(Rejected::Linetable.into()),
        }
    }
}

impl<'a> Cached<'a> {
    /// `None`, and the walk goes without a cache, where the interpreter cannot be read.
    #[inline(always)]
    fn new<R: Reader>(reader: &R, request: &Request<'_>, lines: &'a LineCache) -> Option<Self> {
        let layout = &request.interpreter.layout;
        let interp = reader.addr_at(request.tstate, layout.thread.interp).ok()?;
        let generation = match layout.runtime.code_object_generation {
            Some(offset) if interp.is_pointer_shaped() => Some(reader.u64_at(interp, offset).ok()?),
            Some(_) => return None,
            None => None,
        };
        Some(Cached { lines, interp, generation, version: layout.code.version })
    }
}
