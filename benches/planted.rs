//! A slowdown that is planted on purpose: what proves that a comparison of two runs would notice one.
//!
//! `SIGWALK_PLANT_SLOW=guarded:20` makes every timed batch of the subject `guarded` do 20 % more walks than it says. It cannot be
//! set unnoticed: the run says so on stderr, the record of every slowed row has a note, and the manifest names the variable among the settings
//! and in the environment, which `report compare` puts on top.

use crate::failure::Failure;
use crate::place::Here;
use crate::subjects::{Label, Subject};
use std::env;
use std::time::Duration;

/// `SUBJECT:PERCENT`
pub const VARIABLE: &str = "SIGWALK_PLANT_SLOW";

/// What is planted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plant {
    /// The subject.
    subject: String,
    /// How much more it does.
    percent: u64,
}

impl Plant {
    /// What the environment asks for; usually nothing.
    ///
    /// # Errors
    /// It asks for something else than `SUBJECT:PERCENT`.
    pub fn from_environment() -> Result<Option<Plant>, Failure> {
        env::var(VARIABLE)
            .ok()
            .filter(|value| !value.is_empty())
            .map(|value| Plant::parse(&value))
            .transpose()
    }

    fn parse(value: &str) -> Result<Plant, Failure> {
        let parts =
            value.split_once(':').and_then(|(subject, percent)| Some((subject, percent.parse().ok()?)));
        match parts {
            Some((subject, percent)) if !subject.is_empty() && (1..=1000).contains(&percent) => {
                Ok(Plant { subject: subject.to_owned(), percent })
            }
            _ => Err(Failure::usage(format!(
                "{VARIABLE}={value}: give a subject and 1 to 1000 percent, e.g. guarded:20, or unset it"
            ))),
        }
    }

    /// Puts it into every subject of that name.
    ///
    /// # Errors
    /// There is none.
    pub fn slow(&self, subjects: Vec<Box<dyn Subject>>) -> Result<Vec<Box<dyn Subject>>, Failure> {
        let is_meant = |subject: &dyn Subject| subject.label().subject == self.subject;
        if !subjects.iter().any(|subject| is_meant(subject.as_ref())) {
            let mut known: Vec<String> = subjects.iter().map(|subject| subject.label().subject).collect();
            known.dedup();
            return Err(Failure::usage(format!(
                "{VARIABLE}={self}: no such subject; known: {}",
                known.join(", ")
            )));
        }
        let slowed = |inner: Box<dyn Subject>| -> Box<dyn Subject> {
            if is_meant(inner.as_ref()) { Box::new(Slowed { inner, plant: self.clone() }) } else { inner }
        };
        Ok(subjects.into_iter().map(slowed).collect())
    }

    /// How many walks a batch that counts as `iters` makes, and for how many such batches: the deepest stacks are walked once or twice a
    /// batch, of which no fifth can be more, so that several batches are made and their mean is told.
    fn iterations(&self, iters: u64) -> (u64, u32) {
        let batches = if iters < 50 { 5 } else { 1 };
        let counted = iters * u64::from(batches);
        (counted + (counted * self.percent).div_ceil(100), batches)
    }
}

impl std::fmt::Display for Plant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.subject, self.percent)
    }
}

struct Slowed {
    inner: Box<dyn Subject>,
    plant: Plant,
}

impl Subject for Slowed {
    fn label(&self) -> Label {
        self.inner.label()
    }

    fn expected(&self, depth: u64) -> u64 {
        self.inner.expected(depth)
    }

    fn depths(&self) -> &'static [u64] {
        self.inner.depths()
    }

    fn note(&self) -> Option<String> {
        let planted = format!("planted: {} % more walks than are counted ({VARIABLE})", self.plant.percent);
        Some(self.inner.note().map_or_else(|| planted.clone(), |note| format!("{note}; {planted}")))
    }

    fn verify(&mut self, here: &Here<'_>) -> Result<u64, Failure> {
        self.inner.verify(here)
    }

    fn batch(&mut self, here: &Here<'_>, iters: u64) -> Duration {
        let (walks, batches) = self.plant.iterations(iters);
        self.inner.batch(here, walks) / batches
    }
}

#[cfg(test)]
mod tests {
    use super::Plant;

    #[test]
    fn a_fifth_more() {
        let plant = Plant::parse("guarded:20").unwrap();
        assert_eq!(
            [1, 9, 100, 1001].map(|iters| plant.iterations(iters)),
            [(6, 5), (54, 5), (120, 1), (1202, 1)]
        );
        assert_eq!(plant.to_string(), "guarded:20");
    }

    #[test]
    fn what_is_no_plant_is_refused() {
        for value in ["guarded", "guarded:", ":20", "guarded:0", "guarded:x", "guarded:-3", "guarded:1001"] {
            assert!(Plant::parse(value).unwrap_err().message.contains("or unset it"), "{value}");
        }
    }
}
