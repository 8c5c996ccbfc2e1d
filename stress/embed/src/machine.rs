//! Reading /proc, /sys and os-release.

use std::fs;

/// A file of one line; `None` where it is missing, unreadable or empty.
pub(crate) fn file(path: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// The value of the first line `name : value` of a file.
pub(crate) fn field(path: &str, name: &str) -> Option<String> {
    value(&fs::read_to_string(path).ok()?, ':', name)
}

/// Distribution and version, as os-release words them.
pub(crate) fn os() -> Option<String> {
    value(&fs::read_to_string("/etc/os-release").ok()?, '=', "PRETTY_NAME")
        .map(|name| name.trim_matches('"').to_owned())
}

/// Load averages of 1, 5 and 15 minutes.
pub(crate) fn load() -> Option<String> {
    Some(file("/proc/loadavg")?.split(' ').take(3).collect::<Vec<_>>().join(" "))
}

/// `yes` on a virtual machine, `no` else, as the processor's flags say; `None` where there are no flags.
pub(crate) fn hypervisor() -> Option<String> {
    let flags = field("/proc/cpuinfo", "flags")?;
    Some(if flags.split(' ').any(|flag| flag == "hypervisor") { "yes" } else { "no" }.to_owned())
}

fn value(text: &str, separator: char, name: &str) -> Option<String> {
    let mut pairs = text.lines().filter_map(|line| line.split_once(separator));
    pairs.find(|(found, _)| found.trim() == name).map(|(_, value)| value.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::value;

    #[test]
    fn value_takes_the_first_line_of_that_name_only() {
        let text = "Seccomp_filters:\t1\nSeccomp:\t2\nSeccomp:\t3\n";
        assert_eq!(value(text, ':', "Seccomp").as_deref(), Some("2"));
        assert_eq!(value(text, ':', "Sec"), None);
    }
}
