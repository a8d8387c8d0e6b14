//! Every field that a resource shows stands in the contract: a misspelled one would show nothing, in silence.

use statibeat_contract::Contract;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use syn::visit::{self, Visit};
use syn::{Expr, ExprCall, ItemMod, Lit};

/// The kinds of a shown field, each with the upstream name first.
const KINDS: [&str; 7] = ["Plain", "Text", "Address", "Object", "List", "Counts", "CountsByKey"];

/// Members that a resource makes itself and shows by the same tables.
const MADE_HERE: [&str; 1] = ["not_operational"];

/// First arguments of calls that name a shown field.
#[derive(Default)]
struct ShownFields(Vec<String>);

impl<'ast> Visit<'ast> for ShownFields {
    fn visit_expr_call(&mut self, call: &'ast ExprCall) {
        if let (Expr::Path(function), Some(Expr::Lit(first))) = (&*call.func, call.args.first())
            && let (Some(name), Lit::Str(field)) = (function.path.segments.last(), &first.lit)
            && KINDS.iter().any(|kind| name.ident == kind)
        {
            self.0.push(field.value());
        }
        visit::visit_expr_call(self, call);
    }

    /// Modules of unit tests have tables of their own.
    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        if !module.attrs.iter().any(|attribute| attribute.path().is_ident("cfg")) {
            visit::visit_item_mod(self, module);
        }
    }
}

fn shown_fields(source: &str) -> Vec<String> {
    let mut fields = ShownFields::default();
    fields.visit_file(&syn::parse_file(source).expect("Rust"));
    fields.0
}

/// Names of all properties of all objects in the contract.
fn properties(value: &serde_json::Value, names: &mut BTreeSet<String>) {
    match value {
        serde_json::Value::Object(members) => {
            for (name, value) in members {
                if let ("properties", serde_json::Value::Object(fields)) = (name.as_str(), value) {
                    names.extend(fields.keys().cloned());
                }
                properties(value, names);
            }
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| properties(item, names)),
        _ => {}
    }
}

fn unknown(fields: Vec<String>, known: &BTreeSet<String>) -> Vec<String> {
    fields.into_iter().filter(|field| !known.contains(field) && !MADE_HERE.contains(&field.as_str())).collect()
}

#[test]
fn every_shown_field_of_a_resource_is_a_property_in_the_contract() {
    let mut known = BTreeSet::new();
    properties(Contract::load().document(), &mut known);
    let mut pending: Vec<PathBuf> = vec![Path::new("src/catalog/resources").to_owned()];
    let (mut checked, mut problems) = (0, Vec::new());
    while let Some(path) = pending.pop() {
        if path.is_dir() {
            pending.extend(std::fs::read_dir(path).expect("a folder").map(|entry| entry.expect("an entry").path()));
            continue;
        }
        let fields = shown_fields(&std::fs::read_to_string(&path).expect("a source"));
        checked += fields.len();
        let unknown = unknown(fields, &known);
        problems.extend(unknown.into_iter().map(|field| format!("{}: {field}", path.display())));
    }
    assert!(
        problems.is_empty(),
        "docs/statibeat-api.yaml has no such properties: correct the name, or add it there: {problems:#?}"
    );
    assert!(checked > 0, "no table was found");
    assert_eq!(
        unknown(shown_fields(r#"const A: &[Shown] = &[Plain("heading"), Text("title", 9, People)];"#), &known),
        ["heading"]
    );
}
