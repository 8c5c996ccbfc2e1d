//! `stress replay`

use super::{Session, become_build_for};
use crate::campaign::Campaign;
use crate::cli::Replay;
use crate::exact;
use crate::failure::Failure;
use crate::records::read_manifest;
use crate::server::Server;
use sigwalk_record::{Kind, exit};

/// Runs one trial again.
///
/// # Errors
/// The directory, or the trial is not of its campaign.
pub fn run(arguments: &Replay) -> Result<i32, Failure> {
    let manifest = read_manifest(&arguments.directory)?;
    if manifest.kind != Kind::Trials {
        return Err(Failure::usage(format!("{} is not a run of trials", arguments.directory.display())));
    }
    become_build_for(Some(&manifest.interpreter.tag))?;
    exact::hold_still(&manifest.campaign.text)?;
    let session = Session::start()?;
    let campaign =
        Campaign::parse(&manifest.campaign.text, &session.interpreter.tag).map_err(Failure::incompatible)?;
    let schedule = campaign.schedule();
    let turn = usize::try_from(arguments.trial).ok().and_then(|trial| schedule.get(trial)).copied();
    let turn = turn.ok_or_else(|| {
        Failure::usage(format!("the campaign has trials 0 to {}", schedule.len().saturating_sub(1)))
    })?;
    let target = &campaign.plans[turn.plan];
    if !target.is_available() {
        return Err(Failure::missing(format!(
            "{}: not available: {}",
            target.cell.id, target.cell.not_available
        )));
    }
    eprintln!("trial {} is of cell {}, {:?}", arguments.trial, target.cell.id, target.cell.params);
    eprintln!(
        "the seed fixes the schedule of signals, not the kernel's timing: repeat with --times where timing decides"
    );
    let again = std::iter::repeat_n(turn, arguments.times as usize);
    Server::new(session.live, &campaign, 1).run(again, |trial| {
        println!("{}", serde_json::to_string(&trial).map_err(|error| Failure::internal(error.to_string()))?);
        Ok(())
    })?;
    Ok(exit::OK)
}
