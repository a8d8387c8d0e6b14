//! The import table, checked: every path of ours that a file names, in `use` trees, in code, in macro calls and in attributes.
//!
//! Unit tests obey the table too: a rule that needs a higher layer to be tested is in the wrong layer.

use super::Finding;
use super::source::{NamedPath, Source};
use super::table;

/// The library's name as binaries see it.
const LIBRARY: &str = "statibeat_mcp";

/// Everything in a file that the table forbids.
pub fn check(source: &Source) -> Vec<Finding> {
    let Some(row) = table::find(source.top()) else {
        let what = format!("unknown top-level module {}", source.top());
        return vec![Finding::new(source, 1, what, "every top-level module needs a row in tests/layering/table.rs")];
    };
    let named = source.paths.iter().filter_map(|path| Some((resolve(source, path)?, path.line)));
    // Attributes may name functions in strings, as in `with = "crate::storage::times"`.
    let in_texts = source.texts.iter().filter_map(|text| {
        Some((text.value.strip_prefix("crate::")?.split("::").map(str::to_owned).collect(), text.line))
    });
    let forbidden = named.chain(in_texts).filter(|(path, _): &(Vec<String>, usize)| !row.allows(path));
    let mut findings: Vec<(Vec<String>, usize)> = forbidden.collect();
    findings.sort_by_key(|(_, line)| *line);
    let finding = |(path, line): (Vec<String>, usize)| {
        let target = if path.is_empty() { "the whole crate".to_owned() } else { path.join("::") };
        let what = format!("{} imports {target}", source.module.join("::"));
        Finding::new(source, line, what, row.rule())
    };
    findings.into_iter().map(finding).collect()
}

/// The path from the root of our code; `None` when it leads out of it.
pub fn resolve(source: &Source, named: &NamedPath) -> Option<Vec<String>> {
    let is_binary = source.top() == table::BIN.module;
    let (first, mut rest) = named.segments.split_first()?;
    let mut path = match first.as_str() {
        "crate" if is_binary => vec![table::BIN.module.to_owned()],
        "crate" => Vec::new(),
        LIBRARY if is_binary => Vec::new(),
        // `self` as a value names nothing.
        "self" if rest.is_empty() => return None,
        "self" => named.module.clone(),
        "super" => named.module[..named.module.len().saturating_sub(1)].to_vec(),
        // In the root file the modules themselves are in scope.
        word if source.top() == "lib" && word != "lib" && table::find(word).is_some() => vec![word.to_owned()],
        _ => return None,
    };
    while let Some((word, further)) = rest.split_first()
        && word == "super"
    {
        path.pop();
        rest = further;
    }
    path.extend(rest.iter().cloned());
    Some(path)
}
