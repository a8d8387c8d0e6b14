//! Puts the functions of a wasm module in an order that compresses well, and removes their names.
//!
//! wasm-bindgen writes functions in the order of their size. A call names its function by a number of one byte up to 127: those that
//! are called most come first. The others follow by what they share (`similar.rs`).

use super::similar;
use super::weights::Functions;
use anyhow::{Context as _, Result, ensure};
use std::convert::Infallible;
use wasm_encoder::reencode::{Error, Reencode};
use wasm_encoder::{CodeSection, CustomSection, FunctionSection, Module};
use wasmparser::{CodeSectionReader, CustomSectionReader, FunctionSectionReader, KnownCustom, Parser};

/// The largest number that takes one byte in the encoding of wasm (LEB128).
const ONE_BYTE: usize = 127;

/// Reorders the functions of a module with names, and removes the names.
pub fn arrange(wasm: &[u8]) -> Result<Vec<u8>> {
    let functions = Functions::read(wasm)?;
    ensure!(!functions.names.is_empty(), "the wasm has no names of functions; see `strip` in Cargo.toml");
    let order = compact_order(&functions)?;
    let mut numbers: Vec<u32> = (0..u32::try_from(functions.imported + order.len())?).collect();
    for (new, old) in order.iter().enumerate() {
        numbers[functions.imported + old] = u32::try_from(functions.imported + new)?;
    }
    let mut module = Module::new();
    Sorter { order, numbers }.parse_core_module(&mut module, Parser::new(0), wasm).context("reordering functions")?;
    Ok(module.finish())
}

/// The positions of the functions in their new order. Their names decide first, so that it is the same for the same module.
fn compact_order(functions: &Functions<'_>) -> Result<Vec<usize>> {
    let calls = functions.count_calls()?;
    let mut by_name: Vec<usize> = (0..functions.bodies.len()).collect();
    by_name.sort_by_cached_key(|at| (functions.name(*at), functions.bodies[*at]));
    let mut by_calls = by_name.clone();
    by_calls.sort_by_key(|at| std::cmp::Reverse(calls[*at]));
    by_calls.truncate((ONE_BYTE + 1).saturating_sub(functions.imported));
    by_name.retain(|at| !by_calls.contains(at));
    let bodies: Vec<&[u8]> = by_name.iter().map(|at| functions.bodies[*at]).collect();
    let others = similar::order(&bodies).into_iter().map(|at| by_name[at]);
    Ok(by_calls.into_iter().chain(others).collect())
}

struct Sorter {
    /// The functions that are not imported, by their earlier position.
    order: Vec<usize>,
    /// The new index of each function.
    numbers: Vec<u32>,
}

impl Reencode for Sorter {
    type Error = Infallible;

    fn function_index(&mut self, index: u32) -> Result<u32, Error<Infallible>> {
        Ok(self.numbers[index as usize])
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: FunctionSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        let types = section.into_iter().collect::<Result<Vec<u32>, _>>()?;
        for at in &self.order {
            functions.function(types[*at]);
        }
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        code: &mut CodeSection,
        section: CodeSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        let bodies = section.into_iter().collect::<Result<Vec<_>, _>>()?;
        for at in self.order.clone() {
            self.parse_function_body(code, bodies[at].clone())?;
        }
        Ok(())
    }

    fn parse_custom_section(
        &mut self,
        module: &mut Module,
        section: CustomSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        if !matches!(section.as_known(), KnownCustom::Name(_)) {
            module.section(&CustomSection { name: section.name().into(), data: section.data().into() });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::arrange;
    use crate::build::weights::Functions;
    use wasm_encoder::{
        CodeSection, ExportKind, ExportSection, Function, FunctionSection, Module, NameMap, NameSection, TypeSection,
    };

    /// A module whose function `b` calls `a`; it exports `b`.
    fn module() -> Vec<u8> {
        let (mut types, mut functions, mut code) = (TypeSection::new(), FunctionSection::new(), CodeSection::new());
        types.ty().function([], []);
        let mut caller = Function::new([]);
        caller.instructions().call(1).end();
        let mut leaf = Function::new([]);
        leaf.instructions().end();
        functions.function(0).function(0);
        code.function(&caller).function(&leaf);
        let (mut exports, mut names, mut section) = (ExportSection::new(), NameMap::new(), NameSection::new());
        exports.export("b", ExportKind::Func, 0);
        names.append(0, "b");
        names.append(1, "a");
        section.functions(&names);
        let mut module = Module::new();
        module.section(&types).section(&functions).section(&exports).section(&code).section(&section);
        module.finish()
    }

    #[test]
    fn most_called_function_comes_first_and_calls_and_exports_follow() {
        let sorted = arrange(&module()).expect("a module");
        wasmparser::Validator::new().validate_all(&sorted).expect("a valid module");
        let functions = Functions::read(&sorted).expect("a module");
        // No locals, a call of function 0, end.
        assert_eq!(functions.bodies, [&[0, 0x0b][..], &[0, 0x10, 0, 0x0b]]);
        assert_eq!(functions.name(0), "", "names are removed");
        let exported = wasmparser::Parser::new(0).parse_all(&sorted).find_map(|payload| match payload {
            Ok(wasmparser::Payload::ExportSection(exports)) => exports.into_iter().next()?.ok(),
            _ => None,
        });
        assert_eq!(exported.map(|export| export.index), Some(1));
    }
}
