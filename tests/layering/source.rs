//! Source files as tokens: comments are gone, strings are told from code, and every token knows its line.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use std::fs;
use std::path::Path;

/// One file under `src/`.
pub struct Source {
    /// Relative to the package.
    pub file: String,
    /// Its module, as in `["oauth", "client"]`; `["lib"]` for the root, `["bin", …]` for a binary.
    pub module: Vec<String>,
    pub tokens: TokenStream,
}

impl Source {
    /// Reads one file's text.
    pub fn parse(file: &str, text: &str) -> Self {
        let tokens = text.parse().unwrap_or_else(|error| panic!("{file}: {error}"));
        let path = file.trim_start_matches("src/").trim_end_matches(".rs");
        let mut module: Vec<String> = path.split('/').map(str::to_owned).collect();
        if matches!(module.last().map(String::as_str), Some("mod" | "main")) {
            module.pop();
        }
        Self { file: file.to_owned(), module, tokens }
    }

    /// The top-level module it belongs to.
    pub fn top(&self) -> &str {
        self.module.first().map_or("", String::as_str)
    }

    /// Whether it lies within a module.
    pub fn is_in(&self, module: &[&str]) -> bool {
        self.module.len() >= module.len() && self.module.iter().zip(module).all(|(have, want)| have == want)
    }

    /// Whether it is the file that may contain paths of ours.
    pub fn is_routes(&self) -> bool {
        self.is_in(&["web", "routes"])
    }

    /// Its code without tests and without documentation, flattened; a group shows as its content between delimiters.
    pub fn code(&self) -> Vec<Token> {
        let mut code = Vec::new();
        // Unit tests that have outgrown their file live in a file named `tests`.
        if !self.module.iter().any(|name| name == "tests") {
            flatten(&self.tokens, &mut code);
        }
        code
    }
}

/// A token of code.
pub struct Token {
    pub line: usize,
    pub kind: Kind,
}

#[derive(PartialEq)]
pub enum Kind {
    /// A name or keyword.
    Name(String),
    /// The text of a string literal, as written between its quotes.
    Text(String),
    /// Any other literal, as written.
    Literal(String),
    /// A sign or a delimiter.
    Sign(char),
}

/// Every file under `src/`, in a fixed order.
pub fn read_all(package: &Path) -> Vec<Source> {
    let mut files = Vec::new();
    collect(&package.join("src"), &mut files);
    files.sort();
    let relative = |path: &Path| path.strip_prefix(package).map(|path| path.to_string_lossy().replace('\\', "/"));
    files
        .iter()
        .map(|path| {
            Source::parse(&relative(path).expect("below the package"), &fs::read_to_string(path).expect("readable"))
        })
        .collect()
}

fn collect(folder: &Path, files: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).expect("readable folder") {
        let path = entry.expect("readable entry").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn flatten(tokens: &TokenStream, code: &mut Vec<Token>) {
    let mut tokens = tokens.clone().into_iter().peekable();
    while let Some(token) = tokens.next() {
        let line = token.span().start().line;
        match token {
            TokenTree::Punct(sign) if sign.as_char() == '#' => {
                let inner = tokens.next_if(|next| matches!(next, TokenTree::Punct(sign) if sign.as_char() == '!'));
                let Some(TokenTree::Group(attribute)) = tokens.next() else { continue };
                if inner.is_none() && is_attribute(&attribute, "cfg(test)") {
                    skip_item(&mut tokens);
                } else if !is_attribute(&attribute, "doc") {
                    flatten(&attribute.stream(), code);
                }
            }
            TokenTree::Punct(sign) => code.push(Token { line, kind: Kind::Sign(sign.as_char()) }),
            TokenTree::Ident(name) => code.push(Token { line, kind: Kind::Name(name.to_string()) }),
            TokenTree::Literal(literal) => code.push(Token { line, kind: literal_kind(&literal.to_string()) }),
            TokenTree::Group(group) => {
                let (open, close) = signs(group.delimiter());
                code.push(Token { line, kind: Kind::Sign(open) });
                flatten(&group.stream(), code);
                code.push(Token { line: group.span_close().start().line, kind: Kind::Sign(close) });
            }
        }
    }
}

/// Whether an attribute's content is `wanted` or begins with that word.
fn is_attribute(attribute: &Group, wanted: &str) -> bool {
    let text = attribute.stream().to_string().replace(' ', "");
    text == wanted || text.strip_prefix(wanted).is_some_and(|rest| rest.starts_with('='))
}

/// An item ends with its block or its semicolon.
fn skip_item(tokens: &mut impl Iterator<Item = TokenTree>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => return,
            TokenTree::Punct(sign) if sign.as_char() == ';' => return,
            _ => {}
        }
    }
}

fn literal_kind(written: &str) -> Kind {
    let text = written.trim_start_matches(['b', 'c', 'r', '#']);
    match text.strip_prefix('"') {
        Some(text) => Kind::Text(text.trim_end_matches('#').trim_end_matches('"').to_owned()),
        None => Kind::Literal(written.to_owned()),
    }
}

fn signs(delimiter: Delimiter) -> (char, char) {
    match delimiter {
        Delimiter::Parenthesis => ('(', ')'),
        Delimiter::Brace => ('{', '}'),
        Delimiter::Bracket => ('[', ']'),
        Delimiter::None => (' ', ' '),
    }
}
