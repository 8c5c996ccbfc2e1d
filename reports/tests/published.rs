//! Every figure that the README takes from a published run is in that run's summary.json.
//!
//! In the README a figure stands behind a comment that says where it is: `<!--= path -->12`, path being keys of summary.json with
//! dots between them, and `[key=value]` choosing from a list: `ratios[name=guarded_vs_raw,interpreter=3.15.0].value`. A path
//! into another run than the first that is linked begins with `run NAME:`. A figure with a `%` behind it is hundred times what the
//! file says; all are rounded to the digits that are shown. Between
//! `<!-- published -->` and `<!-- /published -->` no digit may stand without one, but in names: of versions, walkers, claims and files.

use serde_json::Value;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("reports/ is in the repository").to_path_buf()
}

fn looked_up<'a>(summary: &'a Value, path: &str) -> Option<&'a Value> {
    let mut at = summary;
    let mut rest = path.trim();
    while !rest.is_empty() {
        if let Some(selector) = rest.strip_prefix('[') {
            let (conditions, behind) = selector.split_once(']')?;
            let holds = |entry: &Value| {
                conditions.split(',').all(|condition| {
                    condition.split_once('=').is_some_and(|(key, wanted)| {
                        let found = &entry[key];
                        {
                            let shown = found.as_str().map_or_else(|| found.to_string(), str::to_owned);
                            shown == wanted
                        }
                    })
                })
            };
            let mut found = at.as_array()?.iter().filter(|entry| holds(entry));
            at = found.next()?;
            // Two that fit would let the text mean either.
            if found.next().is_some() {
                return None;
            }
            rest = behind;
        } else {
            let bare = rest.strip_prefix('.').unwrap_or(rest);
            let end = bare.find(['.', '[']).unwrap_or(bare.len());
            at = at.get(&bare[..end])?;
            rest = &bare[end..];
        }
    }
    Some(at)
}

/// The figure at the beginning of `text`, how many characters it has, its decimals and whether it is a percentage.
fn figure(text: &str) -> Option<(f64, usize, usize, bool)> {
    let mut end = 0;
    for (at, sign) in text.char_indices() {
        // Groups of thousands are set apart by a space that does not break.
        if sign.is_ascii_digit() || sign == '.' || sign == '\u{a0}' {
            end = at + sign.len_utf8()
        } else {
            break;
        }
    }
    let shown = text[..end].trim_end_matches(['.', '\u{a0}']);
    let behind = &text[shown.len()..];
    let digits: String = shown.chars().filter(|sign| *sign != '\u{a0}').collect();
    let decimals = digits.split_once('.').map_or(0, |(_, behind)| behind.len());
    let percent = behind.trim_start_matches([' ', '\u{a0}']).starts_with('%');
    Some((digits.parse().ok()?, shown.len(), decimals, percent))
}

/// The summary of a published run.
fn published(name: &str) -> Value {
    let summary = std::fs::read_to_string(root().join("reports/published").join(name).join("summary.json"));
    serde_json::from_str(&summary.expect("its summary")).expect("JSON")
}

/// What is wrong with the figures in `text`.
fn problems(text: &str, summary: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    let mut rest = text;
    let mut unclaimed = String::new();
    while let Some((before, behind)) = rest.split_once("<!--=") {
        unclaimed.push_str(before);
        let Some((path, behind)) = behind.split_once("-->") else {
            problems.push("a comment is not closed".to_owned());
            return problems;
        };
        let Some((shown, length, decimals, percent)) = figure(behind) else {
            problems.push(format!("no figure behind {path}"));
            return problems;
        };
        let value = match path.trim().strip_prefix("run ").and_then(|path| path.split_once(':')) {
            Some((run, path)) => looked_up(&published(run), path).and_then(Value::as_f64),
            None => looked_up(summary, path).and_then(Value::as_f64),
        };
        match value {
            None => problems.push(format!("{path}: nothing there, or not one number")),
            Some(value) => {
                let value = if percent { value * 100.0 } else { value };
                if format!("{value:.decimals$}") != format!("{shown:.decimals$}") {
                    problems.push(format!("{path}: the README says {shown}, the published run {value}"));
                }
            }
        }
        rest = &behind[length..];
        unclaimed.push(' ');
    }
    unclaimed.push_str(rest);
    for word in unclaimed.split([' ', '\n', '(', ')', ',', ';', ':', '*', '|', '`', '\u{a0}']) {
        let word = word.trim_matches(['.', '"', '“', '”', '[', ']', '!']);
        if word.contains(|sign: char| sign.is_ascii_digit()) && !named(word) {
            problems.push(format!("{word:?} stands there without saying where it comes from"));
        }
    }
    problems
}

/// Versions (3.15, 3.13.15), claims and scenarios (C1, S20), issues, and whatever is a path or a link.
fn named(word: &str) -> bool {
    let parts: Vec<Option<u8>> = word.split('.').map(|part| part.parse().ok()).collect();
    let version = matches!(parts[..], [Some(3), Some(11..=15)] | [Some(3), Some(11..=15), Some(_)]);
    let numbered = word.strip_prefix(['C', 'S']).is_some_and(|number| number.parse::<u8>().is_ok());
    let path = !word.starts_with(|sign: char| sign.is_ascii_digit())
        && (word.contains('/') || word.contains(".svg"));
    version
        || numbered
        || path
        || word.starts_with("gh-")
        || matches!(word, "pr-b1" | "pr-b1-hops" | "C1–C12")
}

#[test]
fn the_readme_says_what_the_published_run_says() {
    let readme = std::fs::read_to_string(root().join("README.md")).expect("README.md");
    let (_, behind) = readme.split_once("<!-- published -->").expect("the section is marked");
    let (section, _) = behind.split_once("<!-- /published -->").expect("the mark is closed");
    let named = section.split("reports/published/").nth(1).expect("a link to the run");
    let name = named.split(['/', ')', ']']).next().expect("its name");
    let summary = published(name);
    assert!(section.matches("<!--=").count() >= 10, "there are figures");
    assert_eq!(problems(section, &summary), Vec::<String>::new());
    // Also those that stand elsewhere.
    let elsewhere = readme.replace(section, "");
    for path in elsewhere.split("<!--=").skip(1) {
        let alone = format!("<!--={path}");
        let end = alone.find("-->").expect("closed") + 3;
        let figure =
            &alone[..(end + 16..alone.len()).find(|at| alone.is_char_boundary(*at)).unwrap_or(alone.len())];
        let wrong: Vec<_> =
            problems(figure, &summary).into_iter().filter(|said| !said.contains("stands there")).collect();
        assert_eq!(wrong, Vec::<String>::new());
    }
}

#[test]
fn a_wrong_figure_is_found() {
    let summary = serde_json::json!({
        "cells": [{"id": "a", "rates": {"crash": {"k": 3, "n": 300, "high": 0.0291}}}, {"id": "b"}],
        "ratios": [{"name": "r", "value": 1.0449}],
    });
    let k = "<!--= cells[id=a].rates.crash.k -->";
    let high = "<!--= cells[id=a].rates.crash.high -->";
    for fine in [
        format!("{k}3/<!--= cells[id=a].rates.crash.n -->300, below {high}2.9 % on 3.15 (C3)"),
        "<!--= ratios[name=r].value -->1.04 times".to_owned(),
    ] {
        assert_eq!(problems(&fine, &summary), Vec::<String>::new(), "{fine}");
    }
    for wrong in [
        format!("{k}4"),
        format!("{high}2.8 %"),
        format!("{high}2.91"),
        "<!--= cells[id=c].rates.crash.k -->3".to_owned(),
        "it crashed 3 times".to_owned(),
        "it crashed in 3.2 %".to_owned(),
        "<!--= ratios[name=r].value -->1.05".to_owned(),
    ] {
        assert!(!problems(&wrong, &summary).is_empty(), "{wrong}");
    }
}
