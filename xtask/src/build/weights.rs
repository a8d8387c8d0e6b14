//! Which crates the worker's code comes from, read off the name and the size of each function of an unstripped wasm.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use wasmparser::{KnownCustom, Name, Parser, Payload, TypeRef};

/// The number of crates in the report.
const TOLD: usize = 10;

/// The heaviest crates, heaviest first, and the size of all code: `{"all": …, "crates": [{"name": …, "bytes": …}]}`.
pub fn heaviest(wasm: &[u8]) -> Result<Value> {
    let (mut imported, mut sizes, mut names) = (0, Vec::new(), HashMap::new());
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.context("reading the wasm")? {
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    imported += usize::from(matches!(import?.ty, TypeRef::Func(_) | TypeRef::FuncExact(_)));
                }
            }
            Payload::CodeSectionEntry(body) => sizes.push(body.range().len()),
            Payload::CustomSection(section) => {
                if let KnownCustom::Name(subsections) = section.as_known() {
                    for subsection in subsections {
                        let Name::Function(functions) = subsection? else { continue };
                        for function in functions {
                            let function = function?;
                            names.insert(function.index as usize, function.name);
                        }
                    }
                }
            }
            _ => {}
        }
    }
    let mut crates: BTreeMap<String, usize> = BTreeMap::new();
    for (index, size) in sizes.iter().enumerate() {
        let name = names.get(&(imported + index)).copied().unwrap_or_default();
        *crates.entry(crate_of(name)).or_default() += size;
    }
    let mut crates: Vec<_> = crates.into_iter().collect();
    crates.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    let told: Vec<_> = crates.iter().take(TOLD).map(|(name, bytes)| json!({ "name": name, "bytes": bytes })).collect();
    Ok(json!({ "all": sizes.iter().sum::<usize>(), "crates": told }))
}

/// The first path of a function's name begins with its crate, as in `<&mut url::Url as core::fmt::Display>::fmt`.
fn crate_of(mangled: &str) -> String {
    let mut name = String::new();
    let _ = write!(name, "{:#}", rustc_demangle::demangle(mangled));
    let Some((before, _)) = name.split_once("::") else { return "others".to_owned() };
    let start = before.rfind(|c: char| !c.is_alphanumeric() && c != '_').map_or(0, |at| at + 1);
    before[start..].to_owned()
}

#[cfg(test)]
mod tests {
    use super::crate_of;

    #[test]
    fn a_functions_crate_is_where_its_first_path_begins() {
        assert_eq!(crate_of("<&mut url::Url as core::fmt::Display>::fmt"), "url");
        assert_eq!(crate_of("_ZN10serde_json2de10from_slice17h0123456789abcdefE"), "serde_json");
        assert_eq!(crate_of("memcpy"), "others");
    }
}
