//! `stress`: trials of walkers against the CPython that this binary was built for.
//!
//! One interpreter a binary: `PYO3_PYTHON=… cargo build --release -p sigwalk-stress`. Every trial is a fresh process,
//! forked from one that has initialised Python; everything that is measured happens in such a process.

mod allocations;
#[cfg(test)]
mod alone;
mod attempt;
mod campaign;
mod catalogue;
mod child;
mod cli;
mod coexist;
mod command;
mod contract;
mod crash;
mod exact;
mod expectation;
mod failure;
mod fault;
mod forked;
mod hash;
mod hooks;
mod inject;
mod interrupt;
mod known_bug;
mod lifetime;
mod mappings;
mod mutate;
mod native;
mod oracle;
mod page;
mod planted;
mod process;
mod progress;
mod python;
mod records;
mod sample;
mod server;
mod shared_memory;
mod soak;
mod subject;
mod target;
mod timer;
mod trial;
mod version;
mod word;
mod workload;

use clap::Parser;

fn main() {
    let arguments = cli::Arguments::parse();
    let code = match command::run(arguments) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("stress: {failure}");
            failure.code
        }
    };
    // The interpreter is not finalised: its destructors have nothing to say about a finished campaign.
    std::process::exit(code);
}
