//! Source files as names and documentation: what each file declares, and the doc comments that stand on it.
//!
//! Parsed by `syn`. Names inside macro calls and local variables are not read.

use std::fs;
use std::path::{Path, PathBuf};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, Expr, Lit, Meta};

pub struct Source {
    /// Path from the root of the package.
    pub file: String,
    pub names: Vec<Name>,
    pub docs: Vec<Doc>,
}

pub struct Name {
    pub text: String,
    pub line: usize,
    pub kind: NameKind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum NameKind {
    Constant,
    Field,
    Function,
    Module,
    Test,
    Type,
    Variant,
}

/// The doc comment of one item.
pub struct Doc {
    pub text: String,
    pub line: usize,
}

impl Source {
    pub fn parse(file: &str, text: &str) -> Self {
        let tree = syn::parse_file(text).unwrap_or_else(|error| panic!("{file}: {error}"));
        let mut scan = Self { file: file.to_owned(), names: Vec::new(), docs: Vec::new() };
        scan.name_of_file();
        scan.document(&tree.attrs);
        scan.visit_file(&tree);
        scan
    }

    fn name_of_file(&mut self) {
        let stem = Path::new(&self.file).file_stem().expect("a file name").to_string_lossy().into_owned();
        self.names.push(Name { text: stem, line: 1, kind: NameKind::Module });
    }

    fn declare(&mut self, ident: &syn::Ident, attributes: &[Attribute], kind: NameKind) {
        self.names.push(Name { text: ident.to_string(), line: ident.span().start().line, kind });
        self.document(attributes);
    }

    fn document(&mut self, attributes: &[Attribute]) {
        let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
            Meta::NameValue(meta) if meta.path.is_ident("doc") => match &meta.value {
                Expr::Lit(literal) => match &literal.lit {
                    Lit::Str(text) => Some((text.value().trim().to_owned(), attribute.span().start().line)),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        });
        let (lines, numbers): (Vec<String>, Vec<usize>) = lines.unzip();
        if let Some(&line) = numbers.first() {
            self.docs.push(Doc { text: lines.join("\n"), line });
        }
    }
}

impl<'ast> Visit<'ast> for Source {
    fn visit_item_const(&mut self, item: &'ast syn::ItemConst) {
        self.declare(&item.ident, &item.attrs, NameKind::Constant);
        visit::visit_item_const(self, item);
    }

    fn visit_item_static(&mut self, item: &'ast syn::ItemStatic) {
        self.declare(&item.ident, &item.attrs, NameKind::Constant);
        visit::visit_item_static(self, item);
    }

    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        self.declare(&item.ident, &item.attrs, NameKind::Type);
        visit::visit_item_enum(self, item);
    }

    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        self.declare(&item.ident, &item.attrs, NameKind::Type);
        visit::visit_item_struct(self, item);
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        self.declare(&item.ident, &item.attrs, NameKind::Type);
        visit::visit_item_trait(self, item);
    }

    fn visit_item_type(&mut self, item: &'ast syn::ItemType) {
        self.declare(&item.ident, &item.attrs, NameKind::Type);
        visit::visit_item_type(self, item);
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        let is_test = item
            .attrs
            .iter()
            .any(|attribute| attribute.path().segments.last().is_some_and(|segment| segment.ident == "test"));
        self.declare(&item.sig.ident, &item.attrs, if is_test { NameKind::Test } else { NameKind::Function });
        visit::visit_item_fn(self, item);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.declare(&item.ident, &item.attrs, NameKind::Module);
        visit::visit_item_mod(self, item);
    }

    fn visit_item_macro(&mut self, item: &'ast syn::ItemMacro) {
        self.document(&item.attrs);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.declare(&item.sig.ident, &item.attrs, NameKind::Function);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_impl_item_const(&mut self, item: &'ast syn::ImplItemConst) {
        self.declare(&item.ident, &item.attrs, NameKind::Constant);
        visit::visit_impl_item_const(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        self.declare(&item.sig.ident, &item.attrs, NameKind::Function);
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_variant(&mut self, variant: &'ast syn::Variant) {
        self.declare(&variant.ident, &variant.attrs, NameKind::Variant);
        visit::visit_variant(self, variant);
    }

    fn visit_field(&mut self, field: &'ast syn::Field) {
        match &field.ident {
            Some(ident) => self.declare(ident, &field.attrs, NameKind::Field),
            None => self.document(&field.attrs),
        }
        visit::visit_field(self, field);
    }
}

/// The Rust sources below a folder of the package, in a fixed order.
pub fn read_all(folder: &str) -> Vec<Source> {
    let rust = files_below(folder).into_iter().filter(|file| super::rules::extension_of(file) == "rs");
    rust.map(|file| Source::parse(&file, &fs::read_to_string(&file).expect("readable"))).collect()
}

/// Every file below a folder, without what is built or installed there.
pub fn files_below(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    collect(Path::new(folder), &mut found);
    let mut found: Vec<String> = found.iter().map(|path| path.to_string_lossy().replace('\\', "/")).collect();
    found.sort();
    found
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("readable folder") {
        let path = entry.expect("readable entry").path();
        let is_built = path
            .file_name()
            .is_some_and(|name| ["target", "node_modules", ".git", ".wrangler"].iter().any(|built| name == *built));
        if path.is_dir() && !is_built {
            collect(&path, files);
        } else if !is_built {
            files.push(path.strip_prefix("./").unwrap_or(&path).to_owned());
        }
    }
}
