//! Which operation a method and path stand for, through the document's servers and path templates.

use serde_json::Value;

/// The methods that the document may use.
const METHODS: [&str; 5] = ["get", "post", "patch", "put", "delete"];

/// An operation of the document.
#[derive(Clone, Debug)]
pub struct Operation {
    /// `operationId`.
    pub id: String,
    /// The method, in upper case.
    pub method: String,
    /// `x-status`.
    pub status: String,
    /// `x-permission`.
    pub permission: Option<String>,
    /// `x-scopes`.
    pub scopes: Option<Vec<String>>,
    /// JSON pointer to the operation.
    pub pointer: String,
    /// JSON pointer to its path item.
    pub path_pointer: String,
    /// The paths it is found under, one per server.
    pub templates: Vec<Template>,
}

/// A path template with the server's part in front.
#[derive(Clone, Debug)]
pub struct Template {
    segments: Vec<String>,
    /// JSON pointer to the server's variables.
    variables: String,
    /// The number of segments that belong to the server.
    server_segments: usize,
}

/// A request that found its operation.
#[derive(Debug)]
pub struct CapturedPath<'a> {
    pub operation: &'a Operation,
    pub path_values: Vec<(String, String)>,
    /// Pointers to the schemas of server variables, with their values.
    pub server_values: Vec<(String, String)>,
}

pub fn operations(document: &Value) -> Option<Vec<Operation>> {
    let mut operations = Vec::new();
    for (path, item) in document.get("paths")?.as_object()? {
        let path_pointer = format!("/paths/{}", path.replace('/', "~1"));
        let servers_pointer =
            if item.get("servers").is_some() { format!("{path_pointer}/servers") } else { "/servers".to_owned() };
        let servers = document.pointer(&servers_pointer)?.as_array()?;
        let templates: Option<Vec<Template>> = (0..)
            .zip(servers)
            .map(|(index, server)| {
                Template::new(server.get("url")?.as_str()?, path, format!("{servers_pointer}/{index}/variables"))
            })
            .collect();
        let templates = templates?;
        for method in METHODS {
            let Some(operation) = item.get(method) else {
                continue;
            };
            let text = |field: &str| operation.get(field).and_then(Value::as_str).map(str::to_owned);
            let scopes = operation.get("x-scopes").and_then(Value::as_array);
            operations.push(Operation {
                id: text("operationId")?,
                method: method.to_uppercase(),
                status: text("x-status")?,
                permission: text("x-permission"),
                scopes: scopes.map(|list| list.iter().filter_map(Value::as_str).map(str::to_owned).collect()),
                pointer: format!("{path_pointer}/{method}"),
                path_pointer: path_pointer.clone(),
                templates: templates.clone(),
            });
        }
    }
    Some(operations)
}

/// Finds the operation of a request. A literal segment beats a variable one.
pub fn find<'a>(operations: &'a [Operation], method: &str, path: &str) -> Result<CapturedPath<'a>, String> {
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let matching = operations.iter().flat_map(|operation| {
        let fitting = operation.templates.iter().filter(|template| template.fits(&segments));
        fitting.map(move |template| (operation, template))
    });
    let matching: Vec<_> = matching.collect();
    let Some(fewest) = matching.iter().map(|(_, template)| template.variable_count()).min() else {
        return Err(format!("the contract knows no path {path}"));
    };
    let mut best = matching.iter().filter(|(_, template)| template.variable_count() == fewest);
    match best.find(|(operation, _)| operation.method == method) {
        Some((operation, template)) => Ok(template.capture(operation, &segments)),
        None => Err(format!("the contract knows no {method} at {path}")),
    }
}

impl Template {
    fn new(server: &str, path: &str, variables: String) -> Option<Self> {
        let (_, rest) = server.split_once("://")?;
        let server_path = rest.split_once('/').map_or("", |(_, path)| path);
        let mut segments: Vec<String> = split(server_path);
        let server_segments = segments.len();
        segments.extend(split(path));
        Some(Self { segments, variables, server_segments })
    }

    fn fits(&self, segments: &[&str]) -> bool {
        let fits = |(own, given): (&String, &&str)| variable(own).is_some() || own == given;
        self.segments.len() == segments.len() && self.segments.iter().zip(segments).all(fits)
    }

    fn variable_count(&self) -> usize {
        self.segments.iter().filter(|segment| variable(segment).is_some()).count()
    }

    fn capture<'a>(&self, operation: &'a Operation, segments: &[&str]) -> CapturedPath<'a> {
        let mut capture = CapturedPath { operation, path_values: Vec::new(), server_values: Vec::new() };
        for (index, (own, given)) in self.segments.iter().zip(segments).enumerate() {
            match variable(own) {
                Some(name) if index < self.server_segments => {
                    capture.server_values.push((format!("{}/{name}/x-schema", self.variables), (*given).to_owned()));
                }
                Some(name) => capture.path_values.push((name.to_owned(), (*given).to_owned())),
                None => {}
            }
        }
        capture
    }
}

fn split(path: &str) -> Vec<String> {
    path.split('/').filter(|segment| !segment.is_empty()).map(str::to_owned).collect()
}

fn variable(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}
