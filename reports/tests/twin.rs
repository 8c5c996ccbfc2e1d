//! The page of hostile records is, element by element and attribute by attribute, the page of the same records with
//! harmless names: what a program called its functions is text there and nothing else.

mod common;

use common::report;
use common::twin::{HALF, payloads, records};
use html5ever::tendril::TendrilSink;
use markup5ever_rcdom::{Handle, NodeData, RcDom};
use std::path::Path;

/// Attributes that carry names: that they are there is compared, not what they say.
const NAMES: [&str; 4] = ["id", "href", "aria-label", "aria-labelledby"];

/// A page as a parser of browsers' making sees it.
#[derive(Default)]
struct Seen {
    /// Tags with their attributes, in order; `/` where one ends.
    shape: Vec<String>,
    /// Values of [`NAMES`].
    ids: Vec<String>,
    links: Vec<String>,
    labels: Vec<String>,
    text: String,
}

impl Seen {
    fn page(html: &str) -> Self {
        let dom = html5ever::parse_document(RcDom::default(), html5ever::ParseOpts::default()).one(html);
        // A NUL in a page, a second <title>, markup that was not closed: whatever the parser minds is a defect.
        let minded: Vec<_> = dom.errors.borrow().iter().map(ToString::to_string).collect();
        assert!(minded.is_empty(), "{minded:?}");
        let mut seen = Self::default();
        seen.add(&dom.document);
        seen
    }

    fn add(&mut self, node: &Handle) {
        match &node.data {
            NodeData::Text { contents } => self.text.push_str(&contents.borrow()),
            NodeData::Comment { .. } | NodeData::ProcessingInstruction { .. } => {
                self.shape.push("comment".into());
            }
            NodeData::Element { name, attrs, .. } => {
                let mut tag = name.local.to_string();
                for attribute in attrs.borrow().iter() {
                    let (key, value) = (&*attribute.name.local, attribute.value.to_string());
                    tag.push_str(&format!(" {key}"));
                    match key {
                        "id" => self.ids.push(value),
                        "href" => self.links.push(value),
                        key if NAMES.contains(&key) => self.labels.push(value),
                        _ => tag.push_str(&format!("={value}")),
                    }
                }
                self.shape.push(tag);
            }
            NodeData::Document | NodeData::Doctype { .. } => {}
        }
        for child in node.children.borrow().iter() {
            self.add(child);
        }
        self.shape.push("/".into());
    }
}

/// Page, summary and what was printed.
fn built(dir: &Path, name: &dyn Fn(&str) -> String) -> [String; 3] {
    records(dir, name);
    let title = name("title").replace('\0', "");
    let output = report(dir)
        .args(["build", "runs", "--fuzz", "stats", "--out", "out.html", "--title", &title])
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{stderr}");
    let read = |name: &str| std::fs::read_to_string(dir.join(name)).unwrap();
    // summary.json is JSON whatever the names are.
    serde_json::from_str::<serde_json::Value>(&read("summary.json")).unwrap();
    [read("out.html"), read("summary.md"), String::from_utf8(output.stdout).unwrap() + &stderr]
}

fn named(word: &str, payload: &str) -> String {
    format!("w-{word}.{payload}")
}

/// Independent of the program's own list: categories of what no reader can see, spelt out once more.
fn is_invisible(c: char) -> bool {
    let code = u32::from(c);
    (c.is_control() && c != '\n' && c != '\t')
        || code & 0xfffe == 0xfffe
        || [
            0xad..=0xad,
            0x61c..=0x61c,
            0x200b..=0x200f,
            0x2028..=0x202e,
            0x2060..=0x2069,
            0x3164..=0x3164,
            0xfe00..=0xfe0f,
            0xfeff..=0xfeff,
            0xe0000..=0xe007f,
        ]
        .iter()
        .any(|range| range.contains(&code))
}

#[test]
fn hostile_names_change_no_element_and_no_attribute() {
    let dir = tempfile::tempdir().unwrap();
    let [page, ..] = built(&dir.path().join("plain"), &|word| named(word, "plain"));
    let plain = Seen::page(&page);
    assert!(plain.shape.len() > 500 && plain.links.len() > 10, "the page is not what it was");
    for (number, payload) in payloads().iter().enumerate() {
        let [page, summary, printed] =
            built(&dir.path().join(number.to_string()), &|word| named(word, payload));
        let hostile = Seen::page(&page);
        let differs = plain.shape.iter().zip(&hostile.shape).position(|(a, b)| a != b);
        if let Some(at) = differs {
            panic!("{payload:?}: element {at} is {:?}, not {:?}", hostile.shape[at], plain.shape[at]);
        }
        assert_eq!(plain.shape.len(), hostile.shape.len(), "{payload:?}");
        for link in &hostile.links {
            let inner = link.strip_prefix('#').is_some_and(|id| hostile.ids.iter().any(|other| other == id));
            assert!(inner || link == "data:,", "{payload:?}: {link}");
        }
        let odd = |id: &&String| id.chars().any(|c| !(c.is_ascii_alphanumeric() || "-_.".contains(c)));
        assert_eq!(hostile.ids.iter().find(odd), None, "{payload:?}");
        let shown = if payload.contains(HALF) { "\\ud800lone\\ud800" } else { &payload[..0] };
        assert!(hostile.text.contains(shown), "{payload:?}");
        for (name, text) in [
            ("page", hostile.text.as_str()),
            ("label", &hostile.labels.concat()),
            ("summary", &summary),
            ("terminal", &printed),
        ] {
            assert_eq!(text.chars().find(|c| is_invisible(*c)), None, "{payload:?} in {name}");
        }
        check_markdown(payload, &summary);
    }
}

/// Outside fences, which hold tables, a comment has no markup but ours.
fn check_markdown(payload: &str, summary: &str) {
    assert_eq!(summary.matches("```").count(), 2 * summary.matches("```text\n").count(), "{payload:?}");
    let mut bare = summary.to_owned();
    for ours in ["<details><summary>All other tables</summary>", "</details>"] {
        assert_eq!(summary.matches(ours).count(), 1, "{payload:?}");
        bare = bare.replace(ours, "");
    }
    // A row of the claims has its seven bars, whatever stands between them.
    for row in bare.lines().filter(|line| line.starts_with("| C")) {
        assert_eq!(row.replace("\\|", "").matches('|').count(), 7, "{payload:?}: {row}");
    }
    for outside in bare.split("```").step_by(2) {
        let mut before = ' ';
        for c in outside.chars() {
            // A backslash takes the character behind it, and is taken by one before it.
            if before == '\\' {
                before = ' ';
                continue;
            }
            assert!(!"<[`*~@".contains(c), "{payload:?}: {c:?} acts in {outside:?}");
            before = c;
        }
    }
}

#[test]
fn text_is_shown_as_it_was_written() {
    let dir = tempfile::tempdir().unwrap();
    for payload in ["<b>&lt;", "\"><img src=x onerror=1>", "{{ 7*7 }}", "]]>--><!--"] {
        let [page, ..] = built(&dir.path().join(payload.len().to_string()), &|word| named(word, payload));
        let text = Seen::page(&page).text;
        for word in [
            "title",
            "campaign",
            "text",
            "version",
            "variable",
            "value",
            "target",
            "fault",
            "parameter",
            "setting",
            "note",
            "failure",
            "reason",
            "bug",
            "issue",
            "boundary",
            "what",
            "field",
            "model",
            "check",
            "found",
            "subject",
            "stack",
            "remark",
            "walker-pair",
            "started",
        ] {
            assert!(text.contains(&named(word, payload)), "{word} of {payload:?} is not shown");
        }
    }
}

/// Names of 128 KiB, rows of a megabyte: the page stays small enough to open, the comment small enough to post.
#[test]
fn long_names_are_clipped_and_said() {
    let dir = tempfile::tempdir().unwrap();
    let long = "<".repeat(1 << 17);
    let [page, summary, printed] = built(dir.path(), &|word| match word {
        // A command line takes no more than 128 KiB in one argument.
        "title" => "long".to_owned(),
        word => named(word, &long),
    });
    Seen::page(&page);
    assert!(page.len() < 2 << 20, "{}", page.len());
    assert!(summary.len() < 65_536, "{}", summary.len());
    assert!(printed.len() < 16_384, "{}", printed.len());
    assert!(page.contains("more bytes)") && summary.contains("more bytes)"));
}

/// `cargo test -p sigwalk-report --test twin -- --ignored` leaves records with every hostile text at once in $HOSTILE_DIR,
/// for a browser.
#[test]
#[ignore = "writes to HOSTILE_DIR"]
fn write_the_hostile_records() {
    let dir = std::env::var("HOSTILE_DIR").expect("HOSTILE_DIR names the directory to write to");
    // A long value is clipped: every word begins with another payload, so that each of them is whole somewhere.
    records(Path::new(&dir), &|word| {
        let mut all = payloads();
        let first = word.bytes().map(usize::from).sum::<usize>() % all.len();
        all.rotate_left(first);
        named(word, &all.concat())
    });
}
