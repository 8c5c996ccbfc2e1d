//! The contract of signal-safe functions, checked: no allocation, no lock, no reference count, no re-entry, and what else a handler
//! must not do ([`kind`]).
//!
//! Each subject walks in each context under three looks, each in a process of its own, because a look disturbs the others: calls of
//! the C library with registers and stack; stores; system calls.
//!
//! | file | does |
//! |---|---|
//! | [`kind`] | what counts as a violation |
//! | [`subjects`], [`cpython`], [`planted`] | who is watched |
//! | [`context`] | where walks are made |
//! | [`process`] | the processes |
//! | [`watch`] | one watched walk |
//! | [`interposed`] | calls of the C library, by a library that is preloaded |
//! | [`stores`] | stores, by write-protecting the interpreter |
//! | [`registers`] | errno, blocked signals, control registers, depth of stack |
//! | [`ledger`], [`labels`] | what the processes count |
//! | [`verdict`] | a row of `contract.jsonl`, and whether it is a finding |
//!
//! What it cannot see: calls within the C library or within libpython, which go by no symbol that could be interposed (what they
//! do to memory and to the kernel is seen); loads of interpreter state (a lock that is only read); a violation in a branch that
//! no watched walk took. Zero violations in n walks is a bound.

mod context;
mod cpython;
pub mod handlers;
pub mod interposed;
mod kind;
mod labels;
mod ledger;
mod planted;
mod process;
mod registers;
mod stores;
mod subjects;
pub mod verdict;
mod watch;

pub use context::Context;
pub use process::Nursery;
pub use subjects::{Subject, all};
