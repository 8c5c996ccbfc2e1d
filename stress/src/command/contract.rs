//! `stress contract`

use super::{Session, become_build_for};
use crate::cli::Contract;
use crate::contract::{self, Context, Nursery, Subject, handlers, interposed, verdict};
use crate::failure::Failure;
use crate::interrupt;
use crate::progress::Progress;
use crate::records::RunDir;
use sigwalk_embed::pyo3::Python;
use sigwalk_record::{Kind, Whose, exit};

/// Watches every subject in every context.
///
/// # Errors
/// The machine lacks something, the directory holds a run, or a name is not known.
pub fn run(arguments: &Contract) -> Result<i32, Failure> {
    become_build_for(arguments.python.as_deref())?;
    interposed::preload()?;
    // Below the fault handler of guarded loads, which comes with the session.
    handlers::install();
    let session = Session::start()?;
    Python::attach(|py| watched(py, arguments, session))
}

fn watched(py: Python<'_>, arguments: &Contract, session: Session) -> Result<i32, Failure> {
    let subjects = contract::all(py).map_err(|error| Failure::internal(error.to_string()))?;
    let subjects: &'static [Subject] = Box::leak(subjects.into_boxed_slice());
    let wanted =
        |subject: &Subject| arguments.subject.is_empty() || arguments.subject.contains(&subject.name);
    if let Some(unknown) =
        arguments.subject.iter().find(|name| subjects.iter().all(|subject| subject.name != **name))
    {
        let known: Vec<&str> = subjects.iter().map(|subject| subject.name.as_str()).collect();
        return Err(Failure::usage(format!("unknown subject {unknown:?}; known: {}", known.join("; "))));
    }
    let chosen: Vec<&'static Subject> = subjects.iter().filter(|subject| wanted(subject)).collect();
    let nursery = Nursery::new(py, session.live)?;
    let tag = session.interpreter.tag.clone();
    let text =
        format!("contract: {} walks of each subject in each context, under each look\n", arguments.walks);
    let mut records = RunDir::create(&arguments.out, session.manifest(Kind::Contract, "contract", text))?;
    let mut progress =
        Progress::new(format!("contract on {tag}"), (chosen.len() * Context::ALL.len()) as u64);
    interrupt::prepare();
    let (mut findings, mut ours, mut walks) = (Vec::new(), 0, 0);
    for subject in chosen {
        for context in Context::ALL {
            if interrupt::asked() {
                progress.finish("");
                records.finish(false)?;
                return Ok(exit::INTERRUPTED);
            }
            let row = verdict::row(py, &nursery, &tag, subject, context, arguments.walks)?;
            let seen = verdict::named(&row.violations);
            progress.step(&format!(
                "{} in {}: {}",
                subject.name,
                context.name(),
                if seen.is_empty() { "nothing" } else { &seen }
            ));
            if let Some(finding) = verdict::finding(&row, subject) {
                findings.push(format!("{} in {}: {finding}", subject.name, context.name()));
            }
            if subject.whose == Whose::Ours {
                ours += 1;
                walks += row.walks;
            }
            records.append(&row)?;
        }
    }
    progress.finish("");
    records.finish(true)?;
    findings.iter().for_each(|finding| println!("finding: {finding}"));
    println!(
        "{}: {ours} rows of our walkers, {walks} walks under each look, {} findings",
        arguments.out.display(),
        findings.len()
    );
    Ok(if findings.is_empty() { exit::OK } else { exit::FINDINGS })
}
