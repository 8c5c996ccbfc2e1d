//! `stress walk`

use crate::cli::Walk;
use crate::failure::Failure;
use crate::process::locate::locate;
use crate::process::stacks::{Output, Thread, collect};
use sigwalk::reader::{BlockReader, VmReader};
use sigwalk::walk::End;
use sigwalk_record::exit;
use std::fmt::Write as _;
use std::io::Write as _;

/// Prints the stacks of a process. Only they are on stdout.
///
/// # Errors
/// The process cannot be walked: [`crate::process::trouble::Trouble`].
pub fn run(arguments: &Walk) -> Result<i32, Failure> {
    let reader = VmReader::new(arguments.pid);
    let located = locate(reader)?;
    let Some(blocks) = BlockReader::new(reader) else {
        return Err(Failure::internal("another walk is going on in this process"));
    };
    let output = collect(&reader, &blocks, arguments.pid, &located, arguments.attempts)?;
    let mut text = if arguments.json {
        serde_json::to_string_pretty(&output).map_err(|error| Failure::internal(error.to_string()))?
    } else {
        as_text(&output)
    };
    text.push('\n');
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        // `stress walk PID | head` has what it wanted.
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::internal(format!("stdout: {error}")))
        }
        _ => Ok(exit::OK),
    }
}

/// Like faulthandler's dump: one block a thread, most recent call first.
fn as_text(output: &Output) -> String {
    let mut text = format!(
        "Process {}: CPython {}, {}\n",
        output.pid,
        output.python,
        printable(&output.interpreter_file)
    );
    for thread in &output.threads {
        add_thread(&mut text, thread);
    }
    text.truncate(text.trim_end().len());
    text
}

fn add_thread(text: &mut String, thread: &Thread) {
    let name = match &thread.name {
        Some(name) => format!("\"{}\"", printable(name)),
        None => "(no such thread)".into(),
    };
    let interpreter = match thread.interpreter {
        0 => String::new(),
        number => format!(", interpreter {number}"),
    };
    // Writing into a String cannot fail.
    let _ = writeln!(text, "\nThread {} {name}{interpreter} (most recent call first):", thread.native_id);
    if thread.frames.is_empty() {
        text.push_str("  <no Python frame>\n");
    }
    for frame in &thread.frames {
        let shown = |name: &Option<String>| name.as_deref().map_or_else(|| "???".into(), printable);
        let line = frame.line.map_or_else(|| "???".into(), |line| line.to_string());
        let _ =
            writeln!(text, "  File \"{}\", line {line} in {}", shown(&frame.file), shown(&frame.function));
    }
    if thread.end != End::Complete.name() {
        let _ = writeln!(text, "  <incomplete: {} in the last of {} walks>", thread.end, thread.attempts);
    }
}

/// Names are the target's, and a terminal obeys control characters.
fn printable(name: &str) -> String {
    let escape = |character: char| match character.is_control() {
        true => character.escape_default().to_string(),
        false => character.to_string(),
    };
    name.chars().map(escape).collect()
}
