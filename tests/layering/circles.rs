//! Files that import each other in a circle.
//!
//! An import counts for the file that defines what it names: a `pub use` is followed to where it leads and ties nothing itself.
//! Unit tests are left out.

use super::imports::resolve;
use super::source::{NamedPath, Role, Source};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Every circle, as the files in the order in which they import each other; each file stands in one circle at most.
pub fn find(sources: &[Source]) -> Vec<Vec<String>> {
    let mut imports = imported_files(sources);
    let mut circles = Vec::new();
    while let Some(circle) = imports.keys().find_map(|file| way_back(&imports, file)) {
        imports.retain(|file, _| !circle.contains(file));
        circles.push(circle);
    }
    circles
}

/// The shortest way from a file over its imports to itself.
fn way_back(imports: &BTreeMap<String, BTreeSet<String>>, start: &str) -> Option<Vec<String>> {
    let mut ways = vec![vec![start.to_owned()]];
    let mut seen = BTreeSet::new();
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in &ways {
            for next in imports.get(&way[way.len() - 1]).into_iter().flatten() {
                if next == start {
                    return Some(way.clone());
                }
                if seen.insert(next.clone()) {
                    longer.push(way.iter().cloned().chain([next.clone()]).collect());
                }
            }
        }
        ways = longer;
    }
    None
}

fn imported_files(sources: &[Source]) -> BTreeMap<String, BTreeSet<String>> {
    let modules: HashMap<&[String], &Source> = sources
        .iter()
        .filter(|source| source.top() != "bin")
        .map(|source| (source.module.as_slice(), source))
        .collect();
    let imported = |source: &Source| {
        let counts = |path: &&NamedPath| !path.is_test && path.role != Role::Reexport;
        let paths = source.paths.iter().filter(counts).filter_map(|path| from_root(&modules, source, path));
        let files = paths.filter_map(|path| defining_file(&modules, path)).map(|source| source.file.clone());
        files.filter(|file| *file != source.file).collect()
    };
    modules.values().map(|source| (source.file.clone(), imported(source))).collect()
}

/// The path from the root of our code, where its first word may also be a module inside the one that names it.
fn from_root(modules: &HashMap<&[String], &Source>, source: &Source, path: &NamedPath) -> Option<Vec<String>> {
    let inner = || {
        let inner: Vec<String> = path.module.iter().chain(&path.segments).cloned().collect();
        let module = &inner[..=path.module.len().min(inner.len() - 1)];
        modules.contains_key(module).then_some(inner)
    };
    resolve(source, path).or_else(inner)
}

fn defining_file<'a>(modules: &HashMap<&[String], &'a Source>, mut path: Vec<String>) -> Option<&'a Source> {
    // More re-exports in a row than this are a circle of their own.
    for _ in 0..8 {
        let depth = (1..=path.len()).rev().find(|depth| modules.contains_key(&path[..*depth]))?;
        let source = modules[&path[..depth]];
        let Some(name) = path.get(depth) else { return Some(source) };
        let is_named = |export: &&NamedPath| export.role == Role::Reexport && export.segments.last() == Some(name);
        let Some(export) = source.paths.iter().find(is_named) else { return Some(source) };
        let further = path.split_off(depth + 1);
        path = from_root(modules, source, export)?;
        path.extend(further);
    }
    None
}
