//! An exact trace, made ready for sampling: stacks are numbers, and so are the frames in them.

use sigwalk_record::Allocated;
use std::collections::{BTreeMap, HashMap};

/// Mean number of bytes between two samples.
pub const MEAN: f64 = (512 << 10) as f64;

/// Blocks of one size with one stack.
#[derive(Debug, Clone, Copy)]
pub struct Blocks {
    /// Number of the stack.
    pub stack: usize,
    /// Bytes of each.
    pub size: u64,
    /// How many.
    pub count: u64,
}

/// What a program allocated.
#[derive(Debug)]
pub struct Trace {
    /// Tag.
    pub interpreter: String,
    /// Program.
    pub program: String,
    /// Rows of the trace.
    pub blocks: Vec<Blocks>,
    /// Frames of each stack, innermost first.
    pub stacks: Vec<Vec<usize>>,
    /// Number of each stack.
    pub known: HashMap<Vec<usize>, usize>,
    /// Of each frame, the other lines of its function that the trace has.
    pub other_lines: Vec<Vec<usize>>,
    /// Bytes, and blocks, of each stack.
    pub truth: [Vec<f64>; 2],
    /// Stacks by bytes, and by blocks: most first.
    pub order: [Vec<usize>; 2],
}

impl Trace {
    /// Blocks of a size are sampled with this probability.
    pub fn probability(size: u64) -> f64 {
        -(-(size as f64) / MEAN).exp_m1()
    }

    /// Bytes of all blocks.
    pub fn bytes(&self) -> u64 {
        self.blocks.iter().map(|blocks| blocks.size.saturating_mul(blocks.count)).sum()
    }

    /// Samples that are expected.
    pub fn samples(&self) -> f64 {
        self.blocks.iter().map(|blocks| Self::probability(blocks.size) * blocks.count as f64).sum()
    }

    /// Of the rows of one program.
    pub fn new(interpreter: &str, program: &str, rows: &[&Allocated]) -> Self {
        let mut frames = HashMap::<&str, usize>::new();
        let mut functions = Vec::<&str>::new();
        let mut known = HashMap::<Vec<usize>, usize>::new();
        let mut stacks = Vec::new();
        let mut blocks = Vec::new();
        for row in rows {
            let stack: Vec<usize> = row
                .stack
                .iter()
                .map(|frame| {
                    *frames.entry(frame).or_insert_with(|| {
                        functions.push(frame.rsplit_once(':').map_or(frame, |(function, _)| function));
                        functions.len() - 1
                    })
                })
                .collect();
            let number = *known.entry(stack).or_insert_with_key(|stack| {
                stacks.push(stack.clone());
                stacks.len() - 1
            });
            blocks.push(Blocks { stack: number, size: row.size, count: row.count });
        }
        let lines = |of: usize| {
            (0..functions.len()).filter(|&at| at != of && functions[at] == functions[of]).collect()
        };
        let other_lines = (0..functions.len()).map(lines).collect();
        let mut truth = [vec![0.0; stacks.len()], vec![0.0; stacks.len()]];
        for Blocks { stack, size, count } in &blocks {
            truth[0][*stack] += *size as f64 * *count as f64;
            truth[1][*stack] += *count as f64;
        }
        let order = truth.each_ref().map(|truth| {
            let mut order: Vec<usize> = (0..truth.len()).collect();
            order.sort_by(|&a, &b| truth[b].total_cmp(&truth[a]).then(a.cmp(&b)));
            order
        });
        Trace {
            interpreter: interpreter.to_owned(),
            program: program.to_owned(),
            blocks,
            stacks,
            known,
            other_lines,
            truth,
            order,
        }
    }
}

/// The traces of the records, by interpreter and program.
pub fn traces(rows: &[Allocated]) -> Vec<Trace> {
    let mut groups = BTreeMap::<(Vec<u64>, &str, &str), Vec<&Allocated>>::new();
    for row in rows.iter().filter(|row| row.size > 0 && row.count > 0 && !row.stack.is_empty()) {
        let version = crate::model::tag::version(&row.interpreter);
        groups.entry((version, &row.interpreter, &row.program)).or_default().push(row);
    }
    groups
        .into_iter()
        .map(|((_, interpreter, program), rows)| Trace::new(interpreter, program, &rows))
        .collect()
}
