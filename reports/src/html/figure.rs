//! A figure with its caption, and tables that stand beside it.

use super::table::Table;

/// One figure.
#[derive(Debug)]
pub struct Figure {
    /// Anchor.
    pub id: String,
    /// Caption.
    pub caption: String,
    /// The drawing, escaped already.
    pub svg: String,
    /// What stands beside it; without rows when nothing does.
    pub table: Table,
}
