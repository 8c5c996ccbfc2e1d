//! A figure without its page: the page's style sheet does not reach it, so what it needs of it goes along, in the colours of
//! the light theme and on white.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The page's own.
const STYLE: &str = include_str!("../../templates/style.css");

/// The family that is drawn with where there is no page to say so; the bundled font last.
const FONTS: &str = "\"Liberation Sans\",Arial,Helvetica,\"DejaVu Sans\",sans-serif";

/// The drawing with everything it needs. A viewer that knows no custom properties and no `currentColor` shows it alike.
pub fn standing(drawn: &str) -> String {
    let colours = colours();
    let style = resolved(&rules_for(drawn), &colours);
    let body = resolved(drawn, &colours);
    let Some((head, rest)) = body.split_once('>') else { return body };
    let space = if head.contains("xmlns=") { "" } else { " xmlns=\"http://www.w3.org/2000/svg\"" };
    format!(
        "{head}{space} font-family='{FONTS}'><style>text{{font-family:{FONTS}}}{style}</style><rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>{rest}"
    )
}

/// The custom properties of the light theme: those of the first block of the style sheet.
fn colours() -> BTreeMap<&'static str, &'static str> {
    let block =
        STYLE.split_once(":root{").and_then(|(_, rest)| rest.split_once('}')).map_or("", |found| found.0);
    let declared = block.split(';').filter_map(|line| line.trim().strip_prefix("--")?.split_once(':'));
    declared.map(|(name, value)| (name.trim(), value.trim())).collect()
}

/// Rules outside `@media` that a drawing can need: those that name one of its classes.
fn rules_for(drawn: &str) -> String {
    let classes: Vec<&str> = drawn
        .split("class=\"")
        .skip(1)
        .filter_map(|rest| rest.split_once('"'))
        .flat_map(|(classes, _)| classes.split_whitespace())
        .filter(|class| *class != "plot")
        .collect();
    let named = |selector: &str| {
        let parts = selector.split(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)));
        parts.filter_map(|part| part.split_once('.')).any(|(_, class)| classes.contains(&class))
    };
    let mut out = String::new();
    for (selector, body) in rules(STYLE) {
        if selector.split(',').any(named) && !body.contains("color-mix") {
            let _ = write!(out, "{selector}{{{body}}}");
        }
    }
    out
}

/// Selector and body of each rule that stands in no block.
fn rules(sheet: &'static str) -> Vec<(&'static str, &'static str)> {
    let (mut found, mut rest) = (Vec::new(), sheet);
    while let Some((selector, tail)) = rest.split_once('{') {
        let selector = selector.trim();
        let mut depth = 1;
        let close = tail.find(|c| {
            depth += i32::from(c == '{') - i32::from(c == '}');
            depth == 0
        });
        let Some(close) = close else { break };
        if !selector.starts_with('@') {
            found.push((selector, &tail[..close]));
        }
        rest = &tail[close + 1..];
    }
    found
}

/// `var(--grid)` and `currentColor` as colours.
fn resolved(text: &str, colours: &BTreeMap<&str, &str>) -> String {
    let ink = colours.get("fg").copied().unwrap_or("#000");
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("var(--") {
        out.push_str(before);
        let (name, tail) = after.split_once(')').unwrap_or((after, ""));
        // A default within the parentheses stands in for a property that the page does not have.
        let (name, default) = name.split_once(',').unwrap_or((name, ink));
        out.push_str(colours.get(name.trim()).copied().unwrap_or(default.trim()));
        rest = tail;
    }
    out.push_str(rest);
    out.replace("currentColor", ink)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_those_of_the_light_theme() {
        assert_eq!(colours().get("bg"), Some(&"#fff"));
        assert_eq!(colours().get("crash"), Some(&"#d55e00"));
        assert_eq!(
            resolved("a var(--bg) b var(--none, red) currentColor", &colours()),
            "a #fff b red #1b1f24"
        );
    }

    #[test]
    fn only_rules_of_its_classes_go_along() {
        let rules = rules_for("<rect class=\"b-hang x\"/>");
        assert!(
            rules.contains(".b-hang") && !rules.contains("table") && !rules.contains("@media"),
            "{rules}"
        );
        assert_eq!(rules_for("<svg class=\"plot\"/>"), "");
    }
}
