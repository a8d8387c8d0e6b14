//! Puts the functions of a wasm module in the order of their names.
//!
//! gzip finds repetitions within 32 kB. wasm-bindgen writes functions in the order of their size; in the order of their
//! names, the copies that the compiler makes of a generic function stand side by side.

use super::weights::Functions;
use anyhow::{Context as _, Result, ensure};
use std::convert::Infallible;
use wasm_encoder::reencode::{Error, Reencode};
use wasm_encoder::{CodeSection, CustomSection, FunctionSection, Module};
use wasmparser::{CodeSectionReader, CustomSectionReader, FunctionSectionReader, KnownCustom, Parser};

/// Sorts the functions of a module with names, and removes the names.
pub fn sort_by_name(wasm: &[u8]) -> Result<Vec<u8>> {
    let functions = Functions::read(wasm)?;
    ensure!(!functions.names.is_empty(), "the wasm has no names of functions; see `strip` in Cargo.toml");
    let mut order: Vec<usize> = (0..functions.bodies.len()).collect();
    order.sort_by_cached_key(|at| (functions.name(*at), functions.bodies[*at]));
    let mut numbers: Vec<u32> = (0..u32::try_from(functions.imported + order.len())?).collect();
    for (new, old) in order.iter().enumerate() {
        numbers[functions.imported + old] = u32::try_from(functions.imported + new)?;
    }
    let mut module = Module::new();
    Sorter { order, numbers }.parse_core_module(&mut module, Parser::new(0), wasm).context("sorting functions")?;
    Ok(module.finish())
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
    use super::sort_by_name;
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
    fn functions_are_sorted_and_calls_and_exports_follow() {
        let sorted = sort_by_name(&module()).expect("a module");
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
