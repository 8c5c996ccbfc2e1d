//! `stress doctor`

use super::Session;
use crate::failure::Failure;
use serde_json::json;
use sigwalk_embed::{cpython_c, symbols};
use sigwalk_record::exit;

/// Symbols that a dump of a thread may be called by, newest first.
const DUMPS: [&str; 2] = ["PyUnstable_DumpTraceback", "_Py_DumpTraceback"];

/// Says what works here.
///
/// # Errors
/// Python does not start, or its layout is not known.
pub fn run(as_json: bool) -> Result<i32, Failure> {
    let session = Session::start()?;
    let (interpreter, environment) = (&session.interpreter, &session.environment);
    let dump = DUMPS
        .iter()
        .find_map(|name| symbols::find(name).map(|found| format!("{name} ({:?})", found.how)))
        .unwrap_or_else(|| "none: faulthandler.dump_traceback is used instead".into());
    let kernel_reads = match session.live.readers.vm.check() {
        Ok(()) => "works".to_owned(),
        Err(why) => format!(
            "{why}: syscall makes guarded loads instead, adaptive has no second way, remote cannot walk"
        ),
    };
    let advice = advice(environment);
    if as_json {
        let value = json!({
            "interpreter": interpreter,
            "environment": environment,
            "dump": dump,
            "process_vm_readv": kernel_reads,
            "cpython_c": cpython_c::available().err().unwrap_or("available"),
            "own_thread": format!("{:?}", session.live.own),
            "advice": advice,
        });
        println!("{value}");
        return Ok(exit::OK);
    }
    println!("interpreter    {} {}", interpreter.tag, interpreter.version);
    println!("libpython      {} (_PyRuntime: {} bytes)", interpreter.libpython, interpreter.runtime_size);
    println!("layout         CPython {}, checked on this thread", session.live.interpreter.layout.version);
    println!("own thread     {:?}", session.live.own);
    println!("freed patterns {}", interpreter.freed_patterns);
    println!("dump           {dump}");
    println!("kernel reads   {kernel_reads}");
    println!("cpython-c      {}", cpython_c::available().err().unwrap_or("available"));
    println!("machine        {}, {} cores, {}", environment.cpu, environment.cores, environment.kernel);
    println!("libc           {}", environment.libc);
    for (name, value) in &environment.other {
        println!("{name:14} {value}");
    }
    for line in advice {
        println!("note: {line}");
    }
    Ok(exit::OK)
}

fn advice(environment: &sigwalk_record::Environment) -> Vec<String> {
    let mut lines = Vec::new();
    let pattern = environment.other.get("core_pattern").map(String::as_str).unwrap_or_default();
    if pattern.starts_with('|') {
        lines.push(format!(
            "core_pattern pipes to a program ({pattern}), which RLIMIT_CORE=0 does not stop: each crash costs about four times as much"
        ));
    }
    if environment.cores < 2 {
        lines.push("one core: the workload other interleaves only at the scheduler's points".into());
    }
    lines
}
