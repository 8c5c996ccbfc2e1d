//! Campaign files of `stress mutate`: what is drawn, how often, and who walks, declared before a run.

use super::fields::{self, Field};
use super::models::{self, Model};
use super::subjects;
use crate::failure::Failure;
use crate::hash;
use serde::Deserialize;
use sigwalk::walkers::{FAMILIES, Family, family};
use sigwalk_record::Campaign as Declared;
use std::path::Path;

/// A parsed file.
#[derive(Debug)]
pub struct Campaign {
    /// Name, id and text, as records have them.
    pub declared: Declared,
    /// The id as a number: every stack's seed follows from it.
    pub id: u64,
    /// Independent stacks, each in a process of its own.
    pub stacks: u64,
    /// What is done at the bottom of each stack.
    pub groups: Vec<Group>,
    /// Loads that are made to fail, at the bottom of some stacks.
    pub inject: Option<Inject>,
}

/// Faults and who walks over them.
#[derive(Debug, Clone)]
pub struct Group {
    /// Faults a stack, drawn uniformly over the pairs of field and model.
    pub draws: u64,
    /// Indices of [`subjects`].
    pub walkers: Vec<usize>,
    /// Families whose checks are switched off one by one.
    pub checks: Vec<&'static Family>,
    /// Pairs that are drawn from.
    pub pairs: Vec<Pair>,
    /// Our models of the PR are held to CPython's own code, walk by walk.
    pub compare: bool,
}

/// What a fault is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// What is changed.
    pub field: Field,
    /// Into what.
    pub model: Model,
}

/// `[inject]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inject {
    /// One stack in so many.
    pub every: u64,
    /// Walks of each rate.
    pub walks: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    stacks: u64,
    #[serde(default)]
    groups: Vec<Row>,
    inject: Option<Inject>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    draws: u64,
    #[serde(default)]
    walkers: Vec<String>,
    #[serde(default)]
    checks: Vec<String>,
    #[serde(default)]
    fields: Vec<String>,
    #[serde(default)]
    models: Vec<String>,
    #[serde(default)]
    compare: bool,
}

impl Campaign {
    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read, or says what there is not: with the file and the remedy.
    pub fn read(path: &Path) -> Result<Campaign, Failure> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            Failure::usage(format!(
                "{}: {error}; give a campaign file, e.g. campaigns/heuristics.toml",
                path.display()
            ))
        })?;
        Campaign::parse(&text).map_err(|why| Failure::usage(format!("{}: {why}", path.display())))
    }

    /// Parses the text of a file.
    ///
    /// # Errors
    /// What is wrong, and what there would be.
    pub fn parse(text: &str) -> Result<Campaign, String> {
        let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
        if file.stacks == 0 || file.inject.as_ref().is_some_and(|inject| inject.every == 0) {
            return Err("stacks and inject.every are at least 1".into());
        }
        if file.groups.is_empty() && file.inject.is_none() {
            return Err("no [[groups]] and no [inject]: nothing would be walked".into());
        }
        let id = hash::text(text);
        let groups = file.groups.iter().enumerate();
        Ok(Campaign {
            declared: Declared { name: file.name, id: format!("{id:016x}"), text: text.to_owned() },
            id,
            stacks: file.stacks,
            groups: groups
                .map(|(index, row)| row.group().map_err(|why| format!("[[groups]] {}: {why}", index + 1)))
                .collect::<Result<_, _>>()?,
            inject: file.inject,
        })
    }

    /// Whether CPython's own code is to walk.
    #[must_use]
    pub fn asks_the_c(&self) -> bool {
        self.groups.iter().any(|group| group.compare || group.walkers.contains(&subjects::CPYTHON_C))
    }

    /// Seed of everything that is drawn for a stack.
    #[must_use]
    pub fn seed(&self, stack: u64) -> u64 {
        hash::seed(self.id, stack)
    }
}

impl Row {
    fn group(&self) -> Result<Group, String> {
        let walkers = self.walkers.iter().map(|name| {
            subjects::index_of(name).ok_or_else(|| {
                format!("no walker {name:?} for mutation; there are {}", subjects::names().join(", "))
            })
        });
        let walkers: Vec<usize> = walkers.collect::<Result<_, _>>()?;
        let families = self.checks.iter().map(|name| {
            family(name).ok_or_else(|| {
                let there: Vec<&str> = FAMILIES.iter().map(|family| family.name).collect();
                format!("no checks of {name:?}; there are those of {}", there.join(", "))
            })
        });
        let checks: Vec<&'static Family> = families.collect::<Result<_, _>>()?;
        if self.draws == 0 || walkers.is_empty() && checks.is_empty() {
            return Err("draws is at least 1, and walkers or checks say who walks".into());
        }
        let fields = chosen("field", &self.fields, fields::ALL, Field::name)?;
        let models = chosen("model", &self.models, models::ALL, Model::name)?;
        let named = !self.fields.is_empty();
        let pairs: Vec<Pair> = fields
            .iter()
            // Names are looked at by those who deliver them; for others a damaged name is no fault.
            .filter(|field| named || !field.is_of_a_name())
            .flat_map(|&field| models.iter().map(move |&model| Pair { field, model }))
            .filter(|pair| pair.model.applies(pair.field))
            .collect();
        if pairs.is_empty() {
            return Err("none of these models applies to any of these fields; see stress list".into());
        }
        Ok(Group { draws: self.draws, walkers, checks, pairs, compare: self.compare })
    }
}

fn chosen<T: Copy>(
    what: &str,
    names: &[String],
    all: &[T],
    name: impl Fn(T) -> &'static str,
) -> Result<Vec<T>, String> {
    if names.is_empty() {
        return Ok(all.to_vec());
    }
    names
        .iter()
        .map(|wanted| {
            all.iter().copied().find(|&one| name(one) == wanted).ok_or_else(|| {
                let there: Vec<&str> = all.iter().map(|&one| name(one)).collect();
                format!("no {what} {wanted:?}; there are {}", there.join(", "))
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_file_is_said_with_what_there_is() {
        for (text, expected) in [
            ("name = 'x'\nstacks = 1", "nothing would be walked"),
            ("name = 'x'\nstacks = 0\n[inject]\nevery = 1\nwalks = 1", "at least 1"),
            (
                "name = 'x'\nstacks = 1\n[[groups]]\ndraws = 1\nwalkers = ['nobody']",
                "[[groups]] 1: no walker \"nobody\"",
            ),
            (
                "name = 'x'\nstacks = 1\n[[groups]]\ndraws = 1\nchecks = ['syscall']",
                "no checks of \"syscall\"",
            ),
            (
                "name = 'x'\nstacks = 1\n[[groups]]\ndraws = 1\nwalkers = ['guarded']\nfields = ['frame.x']",
                "no field \"frame.x\"",
            ),
            (
                "name = 'x'\nstacks = 1\n[[groups]]\ndraws = 1\nwalkers = ['guarded']\nfields = ['frame.owner']\nmodels = ['freed-tstate']",
                "none of these models",
            ),
            ("name = 'x'\nstacks = 1\n[[groups]]\ndraws = 1\nwalker = ['guarded']", "unknown field `walker`"),
        ] {
            let why = Campaign::parse(text).unwrap_err();
            assert!(why.contains(expected), "{text}: {why}");
        }
    }

    #[test]
    fn names_are_drawn_only_where_they_are_asked_for() {
        let of = |rest: &str| {
            let text =
                format!("name = 'x'\nstacks = 1\n[[groups]]\ndraws = 1\nwalkers = ['guarded']\n{rest}");
            Campaign::parse(&text).unwrap().groups.remove(0).pairs
        };
        assert!(of("").iter().all(|pair| !pair.field.is_of_a_name()));
        assert!(of("fields = ['filename.length']").iter().all(|pair| pair.field.is_of_a_name()));
    }
}
