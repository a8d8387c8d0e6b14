//! Source files as facts: the paths, strings and numbers that each file's code names, with their lines.
//!
//! Parsed by `syn`. Bodies of macros are no syntax tree, so their tokens are searched for the same facts. Documentation is left
//! out everywhere, unit tests are marked.

use proc_macro2::{Delimiter, Literal, Spacing, TokenStream, TokenTree};
use std::path::{Path, PathBuf};
use std::{fs, mem};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, ImplItem, Item, Lit, UseTree, Visibility};

pub struct Source {
    /// Path relative to the package's root.
    pub file: String,
    /// Its module, as in `["oauth", "client"]`; `["lib"]` for the root, `["bin", …]` for a binary.
    pub module: Vec<String>,
    pub paths: Vec<NamedPath>,
    pub texts: Vec<Fact<String>>,
    pub negative_numbers: Vec<Fact<String>>,
}

/// A path as it is written: `crate::web::handle`, `super::Scope`, `println`.
pub struct NamedPath {
    pub segments: Vec<String>,
    /// The module that it is written in, with modules inside the file.
    pub module: Vec<String>,
    pub line: usize,
    pub is_test: bool,
    pub role: Role,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Code,
    Macro,
    Import,
    /// `pub use`: the last segment can be imported from here.
    Reexport,
}

/// Something that stands in code outside tests.
pub struct Fact<T> {
    pub value: T,
    pub line: usize,
}

impl Source {
    pub fn parse(file: &str, text: &str) -> Self {
        let tree = syn::parse_file(text).unwrap_or_else(|error| panic!("{file}: {error}"));
        let path = file.trim_start_matches("src/").trim_end_matches(".rs");
        let mut module: Vec<String> = path.split('/').map(str::to_owned).collect();
        if matches!(module.last().map(String::as_str), Some("mod" | "main")) {
            module.pop();
        }
        // Unit tests that have outgrown their file live in a file named `tests`.
        let is_test = module.iter().any(|name| name == "tests");
        let inner = if module == ["lib"] { Vec::new() } else { module.clone() };
        let (paths, texts, negative_numbers) = (Vec::new(), Vec::new(), Vec::new());
        let source = Self { file: file.to_owned(), module, paths, texts, negative_numbers };
        let mut scan = Scan { source, module: inner, is_test, role: Role::Code };
        scan.visit_file(&tree);
        scan.source
    }

    /// The top-level module it belongs to.
    pub fn top(&self) -> &str {
        self.module.first().map_or("", String::as_str)
    }

    pub fn is_in(&self, module: &[&str]) -> bool {
        self.module.len() >= module.len() && self.module.iter().zip(module).all(|(have, want)| have == want)
    }

    /// `true` for the file that may contain our paths.
    pub fn is_routes(&self) -> bool {
        self.is_in(&["web", "routes"])
    }
}

/// Every file under `src/`, in a fixed order.
pub fn read_all(package: &Path) -> Vec<Source> {
    let mut files = Vec::new();
    collect(&package.join("src"), &mut files);
    files.sort();
    let relative = |path: &Path| path.strip_prefix(package).map(|path| path.to_string_lossy().replace('\\', "/"));
    let read = |path: &PathBuf| {
        Source::parse(&relative(path).expect("below the package"), &fs::read_to_string(path).expect("readable"))
    };
    files.iter().map(read).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("readable folder") {
        let path = entry.expect("readable entry").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

struct Scan {
    source: Source,
    module: Vec<String>,
    is_test: bool,
    role: Role,
}

impl Scan {
    fn path(&mut self, segments: Vec<String>, line: usize, role: Role) {
        let (module, is_test) = (self.module.clone(), self.is_test);
        self.source.paths.push(NamedPath { segments, module, line, is_test, role });
    }

    fn text(&mut self, value: String, line: usize) {
        if !self.is_test {
            self.source.texts.push(Fact { value, line });
        }
    }

    fn negative(&mut self, value: String, line: usize) {
        if !self.is_test {
            self.source.negative_numbers.push(Fact { value, line });
        }
    }

    /// Everything that a `use` tree imports; a glob imports the module it stands behind.
    fn import(&mut self, tree: &UseTree, mut stem: Vec<String>) {
        let line = tree.span().start().line;
        match tree {
            UseTree::Path(path) => {
                stem.push(path.ident.to_string());
                self.import(&path.tree, stem);
            }
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.import(tree, stem.clone())),
            UseTree::Glob(_) => self.path(stem, line, self.role),
            UseTree::Name(name) => self.import_name(stem, name.ident.to_string(), line),
            UseTree::Rename(name) => self.import_name(stem, name.ident.to_string(), line),
        }
    }

    fn import_name(&mut self, mut path: Vec<String>, name: String, line: usize) {
        if name != "self" || path.is_empty() {
            path.push(name);
        }
        self.path(path, line, self.role);
    }

    /// The paths, strings and negative numbers among the tokens of a macro.
    fn tokens(&mut self, tokens: &TokenStream) {
        let tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            let line = token.span().start().line;
            at += 1;
            match token {
                TokenTree::Group(group) => self.tokens(&group.stream()),
                TokenTree::Literal(literal) if is_sign(&tokens, at.wrapping_sub(2), '-') => {
                    self.negative(literal.to_string(), line);
                }
                TokenTree::Literal(literal) => self.literal(literal, line),
                TokenTree::Ident(name) => {
                    let mut stem = vec![name.to_string()];
                    while is_colons(&tokens, at)
                        && let Some(TokenTree::Ident(name)) = tokens.get(at + 2)
                    {
                        stem.push(name.to_string());
                        at += 3;
                    }
                    match tokens.get(at + 2) {
                        Some(TokenTree::Group(group))
                            if is_colons(&tokens, at) && group.delimiter() == Delimiter::Brace =>
                        {
                            if let Ok(tree) = syn::parse2(TokenStream::from(TokenTree::Group(group.clone()))) {
                                self.import(&tree, stem);
                            }
                            at += 3;
                        }
                        _ if is_sign(&tokens, at, '!') => self.path(stem, line, Role::Macro),
                        _ => self.path(stem, line, Role::Code),
                    }
                }
                TokenTree::Punct(_) => {}
            }
        }
    }

    fn literal(&mut self, literal: &Literal, line: usize) {
        if let Lit::Str(text) = Lit::new(literal.clone()) {
            self.text(text.value(), line);
        }
    }
}

impl<'ast> Visit<'ast> for Scan {
    fn visit_item(&mut self, item: &'ast Item) {
        let was_test = self.is_test;
        self.is_test |= is_test(item_attributes(item));
        visit::visit_item(self, item);
        self.is_test = was_test;
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        let attributes = if let ImplItem::Fn(function) = item { function.attrs.as_slice() } else { &[] };
        let was_test = self.is_test;
        self.is_test |= is_test(attributes);
        visit::visit_impl_item(self, item);
        self.is_test = was_test;
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.module.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.role = if matches!(item.vis, Visibility::Inherited) { Role::Import } else { Role::Reexport };
        self.import(&item.tree, Vec::new());
        self.role = Role::Code;
    }

    /// `pub(in crate::web)` and its like import nothing.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.path(segments, path.span().start().line, self.role);
        let role = mem::replace(&mut self.role, Role::Code);
        visit::visit_path(self, path);
        self.role = role;
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.role = Role::Macro;
        self.visit_path(&call.path);
        self.role = Role::Code;
        self.tokens(&call.tokens);
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if !attribute.path().is_ident("doc") {
            visit::visit_attribute(self, attribute);
        }
    }

    fn visit_token_stream(&mut self, tokens: &'ast TokenStream) {
        self.tokens(tokens);
    }

    fn visit_lit_str(&mut self, text: &'ast syn::LitStr) {
        self.text(text.value(), text.span().start().line);
    }

    fn visit_expr_unary(&mut self, unary: &'ast syn::ExprUnary) {
        if let (syn::UnOp::Neg(_), syn::Expr::Lit(number)) = (&unary.op, &*unary.expr)
            && let Lit::Int(number) = &number.lit
        {
            self.negative(number.to_string(), number.span().start().line);
        }
        visit::visit_expr_unary(self, unary);
    }
}

fn item_attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg") && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test"))
    })
}

fn is_sign(tokens: &[TokenTree], at: usize, sign: char) -> bool {
    matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == sign)
}

fn is_colons(tokens: &[TokenTree], at: usize) -> bool {
    is_sign(tokens, at + 1, ':')
        && matches!(tokens.get(at), Some(TokenTree::Punct(sign)) if sign.as_char() == ':' && sign.spacing() == Spacing::Joint)
}
