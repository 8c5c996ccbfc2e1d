//! What must stand still for a stepped trial or a mutated stack to be the same in every run: where things are in memory, and
//! how Python hashes strings. Both decide how many instructions a window has.
#![allow(unsafe_code)]

use crate::failure::Failure;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Set in a process that has been made to stand still, or could not be.
const DONE: &str = "SIGWALK_PLACEMENT";
const HASH_SEED: &str = "PYTHONHASHSEED";

/// The hash seed that the environment asks for, if it asks for one.
pub fn hash_seed() -> Option<u32> {
    std::env::var(HASH_SEED).ok()?.parse().ok()
}

/// Whether the campaign steps its targets. A text that is no campaign does not: who reads it says what is wrong with it.
fn steps(campaign: &str) -> bool {
    let campaign: toml::Table = campaign.parse().unwrap_or_default();
    let cells = campaign.get("cells").and_then(toml::Value::as_array);
    cells
        .into_iter()
        .flatten()
        .filter_map(|cell| cell.get("workload")?.as_str())
        .any(|workload| matches!(workload, "step" | "interleave"))
}

/// Goes on as the same command without address randomisation and with a fixed hash seed, where the campaign steps its targets.
/// Other campaigns keep their randomness: it is part of what they sample.
///
/// # Errors
/// The process cannot be executed again.
pub fn hold_still(campaign: &str) -> Result<(), Failure> {
    if steps(campaign) { stand_still() } else { Ok(()) }
}

/// Goes on as the same command without address randomisation and with a fixed hash seed.
///
/// # Errors
/// The process cannot be executed again.
pub fn stand_still() -> Result<(), Failure> {
    if std::env::var_os(DONE).is_some() {
        return Ok(());
    }
    // SAFETY: asks for and sets a flag of this process that the next exec obeys.
    let fixed = unsafe {
        let now = libc::personality(0xffff_ffff);
        now >= 0 && libc::personality((now | libc::ADDR_NO_RANDOMIZE) as libc::c_ulong) >= 0
    };
    if !fixed {
        eprintln!(
            "stress: this machine does not let a process fix its addresses (personality, seccomp?): stepped windows may differ in \
             length from run to run, and mutated stacks in their addresses"
        );
    }
    let mut again = Command::new("/proc/self/exe");
    again.args(std::env::args_os().skip(1)).env(DONE, if fixed { "fixed" } else { "random" });
    if std::env::var_os(HASH_SEED).is_none() {
        again.env(HASH_SEED, "0");
    }
    Err(Failure::internal(format!("executing this program again: {}", again.exec())))
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_what_is_stepped_stands_still() {
        for (text, expected) in [
            ("[[cells]]\nworkload = 'signal'\n[[cells]]\nworkload = 'step'", true),
            ("[[cells]]\nworkload = 'interleave'", true),
            ("[[cells]]\nworkload = 'signal'", false),
            ("name = 'step'", false),
            ("[[cells", false),
        ] {
            assert_eq!(super::steps(text), expected, "{text}");
        }
    }
}
