//! Where the interpreter of another process is: which of its files holds it, and the addresses of its symbols.
//!
//! A symbol that a program refers to by its address (an embedding program that compares with `&PyCode_Type`) is *copied*
//! into the program by the dynamic linker, and libpython uses the copy. So programs are asked first, as the dynamic linker
//! does.

use super::access;
use super::trouble::Trouble;
use sigwalk::addr::Addr;
use sigwalk::interpreter::{Interpreter, Symbols};
use sigwalk::layout::LayoutError;
use sigwalk::reader::VmReader;
use sigwalk_elf::elf::Elf;
use sigwalk_elf::maps::{self, Mapped};
use sigwalk_elf::symtab::{Symbol, Symtab};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The interpreter of another process.
#[derive(Debug, Clone)]
pub struct Located {
    /// The process's program, as it sees it.
    pub executable: String,
    /// The file that holds the interpreter: the program or a libpython.
    pub file: String,
    /// Layout and addresses.
    pub interpreter: Interpreter,
}

/// One file that may hold the interpreter or copies of its symbols.
struct Module {
    mapped: Mapped,
    place: PathBuf,
    is_executable: bool,
    elf: io::Result<Elf>,
}

impl Module {
    /// The program, or one that was started through the dynamic linker (`ld.so PROGRAM`).
    fn is_program(&self) -> bool {
        self.is_executable || self.elf.as_ref().is_ok_and(|elf| elf.fixed)
    }

    /// Files with the interpreter have such a name, except when a program or a plugin of another name links it statically.
    fn is_named_python(&self) -> bool {
        let name = self.mapped.file_name();
        // Not `_struct.cpython-311-x86_64-linux-gnu.so`.
        name.contains("libpython") || name.starts_with("python") || name.contains("pypy")
    }

    fn symbols(&self) -> Arc<Symtab> {
        if self.elf.is_ok() { Symtab::of(&self.place) } else { Arc::default() }
    }

    fn shown(&self) -> String {
        self.mapped.name.display().to_string()
    }
}

/// Finds the interpreter of the process that `reader` reads, and its layout.
///
/// # Errors
/// Most of [`Trouble`].
pub fn locate(reader: VmReader) -> Result<Located, Trouble> {
    access::check(reader)?;
    let pid = reader.pid();
    let proc = |what: &'static str| {
        move |error: io::Error| access::exited_or(reader, || Trouble::Proc { pid, what, error })
    };
    let link = PathBuf::from(format!("/proc/{pid}/exe"));
    let executable = std::fs::read_link(&link).map_err(proc("exe"))?;
    let modules = modules(maps::of(pid).map_err(proc("maps"))?, pid, &executable, &link);
    if let Some(program) = modules.iter().find(|module| module.is_executable) {
        readable_architecture(pid, program)?;
    }
    let first_with = |name| modules.iter().find(|module| module.symbols().by_name(name).is_some());
    // A function is never copied, so it says which file is the interpreter's.
    let Some(holder) = first_with("_PyRuntime").map(|module| first_with("Py_Initialize").unwrap_or(module))
    else {
        return Err(access::exited_or(reader, || no_interpreter(pid, modules, &executable)));
    };
    readable_architecture(pid, holder)?;
    let resolver = Resolver { pid, holder, modules: &modules };
    let symbols = resolver.symbols()?;
    let interpreter = Interpreter::read(&reader, &symbols).map_err(|error| {
        let layout = || Trouble::Layout { pid, file: holder.shown(), error };
        // A fault has lost its kind here.
        if matches!(error, LayoutError::Unreadable(_)) { access::exited_or(reader, layout) } else { layout() }
    })?;
    Ok(Located { executable: executable.display().to_string(), file: holder.shown(), interpreter })
}

/// Files of interest, in the order in which they are asked for symbols.
fn modules(mapped: Vec<Mapped>, pid: i32, executable: &Path, link: &Path) -> Vec<Module> {
    let mut modules: Vec<Module> = mapped
        .into_iter()
        .map(|mapped| {
            let is_executable = mapped.name == executable;
            // The link opens what runs, whatever became of its name.
            let place = if is_executable { link.to_owned() } else { mapped.place(pid) };
            Module { elf: Err(io::ErrorKind::Other.into()), mapped, place, is_executable }
        })
        .filter(|module| {
            // An emulator maps the program that it runs without the right to execute.
            let is_code = module.mapped.regions.iter().any(|region| region.executable);
            module.is_executable || is_code || module.is_named_python()
        })
        .collect();
    for module in &mut modules {
        module.elf = Elf::read(&module.place);
    }
    modules.sort_by_key(|module| (!module.is_executable, !module.is_program(), !module.is_named_python()));
    modules
}

fn readable_architecture(pid: i32, module: &Module) -> Result<(), Trouble> {
    match module.elf.as_ref().ok().and_then(|elf| elf.foreign.clone()) {
        Some(found) => Err(Trouble::Architecture { pid, file: module.shown(), found }),
        None => Ok(()),
    }
}

/// What is said of a process in which nothing is called `_PyRuntime`.
fn no_interpreter(pid: i32, modules: Vec<Module>, executable: &Path) -> Trouble {
    let holds = |module: &&Module| module.elf.as_ref().is_ok_and(|elf| elf.holds_runtime);
    if let Some(module) = modules.iter().find(holds) {
        return Trouble::Stripped { pid, file: module.shown(), symbol: "_PyRuntime" };
    }
    for module in &modules {
        let found = match module.symbols().by_name("Py_Initialize") {
            _ if module.mapped.file_name().contains("pypy") => "PyPy",
            Some(_) => "a Python older than CPython 3.7, or another implementation",
            None => continue,
        };
        return Trouble::OtherPython { pid, found, file: module.shown() };
    }
    for module in modules {
        let file = module.shown();
        let may_be_python = module.is_executable || module.is_named_python();
        match module.elf {
            // Of a foreign program that an emulator runs, too.
            Ok(Elf { foreign: Some(found), .. }) => return Trouble::Architecture { pid, file, found },
            // A file that is no ELF file was read, and its error has no number.
            Err(error) if may_be_python && error.raw_os_error().is_some() => {
                let remedy = match module.mapped.is_deleted() {
                    true => {
                        "it was replaced or removed under the running process; run stress as root, or start that process anew"
                    }
                    false => "run stress as a user who may read that file",
                };
                return Trouble::File { pid, file, error, remedy };
            }
            _ => {}
        }
    }
    Trouble::NotPython { pid, executable: executable.display().to_string() }
}

/// Finds symbols in the modules, in their order.
struct Resolver<'a> {
    pid: i32,
    /// The file that is named when one is missing.
    holder: &'a Module,
    modules: &'a [Module],
}

impl Resolver<'_> {
    fn symbols(&self) -> Result<Symbols, Trouble> {
        let (runtime, definition) = self.find("_PyRuntime")?;
        let Ok((py_version, _)) = self.find("Py_Version") else {
            let (pid, file) = (self.pid, self.holder.shown());
            return Err(Trouble::OtherPython { pid, found: "CPython 3.7 to 3.10", file });
        };
        Ok(Symbols {
            py_version,
            runtime,
            runtime_size: definition.size,
            code_type: self.find("PyCode_Type")?.0,
            unicode_type: self.find("PyUnicode_Type")?.0,
            bytes_type: self.find("PyBytes_Type")?.0,
        })
    }

    fn find(&self, symbol: &'static str) -> Result<(Addr, Symbol), Trouble> {
        let definition = |module| Some((module, Module::symbols(module).by_name(symbol)?.clone()));
        let Some((module, found)) = self.modules.iter().find_map(definition) else {
            return Err(Trouble::Stripped { pid: self.pid, file: self.holder.shown(), symbol });
        };
        let elf = module.elf.as_ref().ok();
        let bias = elf
            .and_then(|elf| elf.bias(&module.mapped.regions))
            .ok_or_else(|| Trouble::Bias { pid: self.pid, file: module.shown() })?;
        Ok((Addr::new(bias.wrapping_add(found.address)), found))
    }
}
