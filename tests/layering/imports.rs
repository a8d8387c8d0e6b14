//! The import table, checked: every path of ours that a file names, in `use` trees, in code and in macro calls.
//!
//! Unit tests obey the table too: a rule that needs a higher layer to be tested is in the wrong layer.

use super::Finding;
use super::source::Source;
use super::table::{self, Row};
use proc_macro2::{Delimiter, Literal, TokenStream, TokenTree};

/// The library's name as binaries see it.
const LIBRARY: &str = "statibeat_mcp";

/// Everything in a file that the table forbids.
pub fn check(source: &Source) -> Vec<Finding> {
    let Some(row) = table::find(source.top()) else {
        let what = format!("unknown top-level module {}", source.top());
        return vec![Finding::new(source, 1, what, "every top-level module needs a row in tests/layering/table.rs")];
    };
    let mut walk = Walk { source, row, findings: Vec::new() };
    let module = if source.top() == "lib" { Vec::new() } else { source.module.clone() };
    walk.tokens(&source.tokens, &module);
    walk.findings
}

struct Walk<'a> {
    source: &'a Source,
    row: &'static Row,
    findings: Vec<Finding>,
}

impl Walk<'_> {
    /// Looks for paths among tokens that stand in `module`.
    fn tokens(&mut self, tokens: &TokenStream, module: &[String]) {
        let tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            match &tokens[at] {
                TokenTree::Ident(name) => {
                    if name == "mod"
                        && let [TokenTree::Ident(name), TokenTree::Group(body), ..] = &tokens[at + 1..]
                    {
                        let inner: Vec<String> = module.iter().cloned().chain([name.to_string()]).collect();
                        self.tokens(&body.stream(), &inner);
                        at += 3;
                        continue;
                    }
                    if !follows_colons(&tokens, at)
                        && let Some(root) = self.root(&name.to_string(), module)
                    {
                        at = self.path(&tokens, at + 1, root, module, name.span().start().line);
                        continue;
                    }
                }
                TokenTree::Group(group) => self.tokens(&group.stream(), module),
                TokenTree::Literal(literal) => self.path_in_text(literal),
                TokenTree::Punct(_) => {}
            }
            at += 1;
        }
    }

    /// What the first word of a path stands for; `None` when it leads out of our code.
    fn root(&self, word: &str, module: &[String]) -> Option<Vec<String>> {
        let is_binary = self.source.top() == table::BIN.module;
        match word {
            "crate" if is_binary => Some(vec![table::BIN.module.to_owned()]),
            "crate" => Some(Vec::new()),
            LIBRARY if is_binary => Some(Vec::new()),
            "self" => Some(module.to_vec()),
            "super" => Some(module[..module.len().saturating_sub(1)].to_vec()),
            // In the root file the modules themselves are in scope.
            word if self.source.top() == "lib" && word != "lib" && table::find(word).is_some() => {
                Some(vec![word.to_owned()])
            }
            _ => None,
        }
    }

    /// Follows a path from behind its first word; answers where it ends.
    fn path(
        &mut self,
        tokens: &[TokenTree],
        mut at: usize,
        mut path: Vec<String>,
        module: &[String],
        line: usize,
    ) -> usize {
        let starts_at = at;
        while is_colons(tokens, at) {
            match tokens.get(at + 2) {
                Some(TokenTree::Ident(name)) if name == "super" => drop(path.pop()),
                Some(TokenTree::Ident(name)) if name == "self" => {}
                Some(TokenTree::Ident(name)) => path.push(name.to_string()),
                Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                    self.branches(&group.stream(), &path, module);
                    return at + 3;
                }
                // A glob takes everything of where it stands; generic arguments end the path.
                _ => break,
            }
            at += 3;
        }
        let is_renamed = matches!(tokens.get(at), Some(TokenTree::Ident(word)) if word == "as");
        // `self` as a value, `pub(crate)` and the like name nothing.
        if at > starts_at || is_colons(tokens, at) || is_renamed && path.is_empty() {
            self.judge(&path, line);
        }
        at
    }

    /// The branches of a `use` tree: `{self, a, b::{c, d}}`.
    fn branches(&mut self, tree: &TokenStream, stem: &[String], module: &[String]) {
        let tokens: Vec<TokenTree> = tree.clone().into_iter().collect();
        for branch in tokens.split(|token| matches!(token, TokenTree::Punct(sign) if sign.as_char() == ',')) {
            let Some(first) = branch.first() else { continue };
            let line = first.span().start().line;
            let mut path = stem.to_vec();
            match first {
                TokenTree::Ident(name) if name == "self" => {}
                TokenTree::Ident(name) => path.push(name.to_string()),
                _ => {}
            }
            if is_colons(branch, 1) {
                self.path(branch, 1, path, module, line);
            } else {
                self.judge(&path, line);
            }
        }
    }

    /// Attributes may name functions in strings, as in `with = "crate::storage::times"`.
    fn path_in_text(&mut self, literal: &Literal) {
        let text = literal.to_string();
        if let Some(path) = text.strip_prefix("\"crate::") {
            let path: Vec<String> = path.trim_end_matches('"').split("::").map(str::to_owned).collect();
            self.judge(&path, literal.span().start().line);
        }
    }

    fn judge(&mut self, path: &[String], line: usize) {
        if !self.row.allows(path) {
            let target = if path.is_empty() { "the whole crate".to_owned() } else { path.join("::") };
            let what = format!("{} imports {target}", self.source.module.join("::"));
            self.findings.push(Finding::new(self.source, line, what, self.row.rule()));
        }
    }
}

fn is_colons(tokens: &[TokenTree], at: usize) -> bool {
    let is_colon = |at: usize| matches!(tokens.get(at), Some(TokenTree::Punct(sign)) if sign.as_char() == ':');
    is_colon(at) && is_colon(at + 1)
}

/// Whether the token is a later word of a path, whose first word has been judged or is foreign.
fn follows_colons(tokens: &[TokenTree], at: usize) -> bool {
    at >= 2 && is_colons(tokens, at - 2)
}
