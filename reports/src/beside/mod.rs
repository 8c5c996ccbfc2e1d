//! What stands beside the page, for other programs: trials as a table or as lines, costs as pyperf has them.

pub mod csv;
pub mod jsonl;
pub mod pyperf;
