//! The functions of a wasm module with names, and the crates they come from.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use wasmparser::{BinaryReader, FunctionBody, KnownCustom, Name, Operator, Parser, Payload, TypeRef};

/// Number of crates in the report.
const REPORTED: usize = 15;

/// Number of functions in the report.
const REPORTED_FUNCTIONS: usize = 20;

/// The functions that a module defines, in order.
#[derive(Default)]
pub struct Functions<'a> {
    /// Number of imported functions; the indexes of the others begin after them.
    pub imported: usize,
    pub bodies: Vec<&'a [u8]>,
    pub names: HashMap<u32, &'a str>,
}

impl<'a> Functions<'a> {
    pub fn read(wasm: &'a [u8]) -> Result<Self> {
        let mut functions = Self::default();
        for payload in Parser::new(0).parse_all(wasm) {
            match payload.context("reading the wasm")? {
                Payload::ImportSection(imports) => {
                    for import in imports.into_imports() {
                        let is_function = matches!(import?.ty, TypeRef::Func(_) | TypeRef::FuncExact(_));
                        functions.imported += usize::from(is_function);
                    }
                }
                Payload::CodeSectionEntry(body) => functions.bodies.push(&wasm[body.range()]),
                Payload::CustomSection(section) => {
                    if let KnownCustom::Name(subsections) = section.as_known() {
                        for subsection in subsections {
                            let Name::Function(names) = subsection? else { continue };
                            for name in names {
                                let name = name?;
                                functions.names.insert(name.index, name.name);
                            }
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(functions)
    }

    /// The number of calls of each function, without those through a table.
    pub fn count_calls(&self) -> Result<Vec<usize>> {
        let mut calls = vec![0; self.bodies.len()];
        for body in &self.bodies {
            let mut operators = FunctionBody::new(BinaryReader::new(body, 0)).get_operators_reader()?;
            while !operators.eof() {
                let (Operator::Call { function_index } | Operator::ReturnCall { function_index }) = operators.read()?
                else {
                    continue;
                };
                if let Some(at) = (function_index as usize).checked_sub(self.imported) {
                    calls[at] += 1;
                }
            }
        }
        Ok(calls)
    }

    /// The name as Rust writes it, without a hash; empty where there is none.
    pub fn name(&self, at: usize) -> String {
        let index = u32::try_from(self.imported + at).ok();
        let name = index.and_then(|index| self.names.get(&index)).copied().unwrap_or_default();
        format!("{:#}", rustc_demangle::demangle(name))
    }
}

/// The heaviest crates and functions, heaviest first, and the size of all code: `{"all": …, "crates": [{"name": …, "bytes": …}], "functions": […]}`.
pub fn heaviest(wasm: &[u8]) -> Result<Value> {
    let functions = Functions::read(wasm)?;
    let mut crates: BTreeMap<String, usize> = BTreeMap::new();
    for (at, body) in functions.bodies.iter().enumerate() {
        *crates.entry(crate_of(&functions.name(at))).or_default() += body.len();
    }
    let mut crates: Vec<_> = crates.into_iter().collect();
    crates.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    let heaviest = crates.iter().take(REPORTED).map(|(name, bytes)| json!({ "name": name, "bytes": bytes }));
    let mut order: Vec<usize> = (0..functions.bodies.len()).collect();
    order.sort_by_key(|at| std::cmp::Reverse(functions.bodies[*at].len()));
    let function = |at: &usize| json!({ "name": functions.name(*at), "bytes": functions.bodies[*at].len() });
    let heaviest_functions: Vec<Value> = order.iter().take(REPORTED_FUNCTIONS).map(function).collect();
    let all: usize = functions.bodies.iter().map(|body| body.len()).sum();
    Ok(json!({ "all": all, "crates": heaviest.collect::<Vec<_>>(), "functions": heaviest_functions }))
}

/// The first path of a function's name begins with its crate, as in `<&mut url::Url as core::fmt::Display>::fmt`.
fn crate_of(name: &str) -> String {
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
        assert_eq!(crate_of("serde_json::de::from_slice"), "serde_json");
        assert_eq!(crate_of("memcpy"), "others");
    }
}
