//! The OpenAPI 3.1 document: what stands above the routes, and what is the same for all of them.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, InfoBuilder, LicenseBuilder, ObjectBuilder, OpenApi, OpenApiBuilder, Ref, RefOr,
    SecurityRequirement, Type,
};

use super::problem::{Body, InvalidField};
use crate::model::problems::ProblemKind;
use crate::model::purposes::Purpose;
use crate::model::transitions::Transition;

const ABOUT: &str = "A records vault for government hotlines. Addresses never contain personal values. Each answer that shows \
    or changes something names its log entry. Errors are application/problem+json (RFC 9457), in English or, by \
    `Accept-Language`, in Chinese; docs/problems.md lists their names.";

/// The document without its paths.
pub(super) fn document() -> OpenApi {
    let license = LicenseBuilder::new()
        .name("Apache-2.0 OR MIT")
        .identifier(Some("Apache-2.0 OR MIT"))
        .build();
    let info = InfoBuilder::new()
        .title("CallerVault")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT))
        .license(Some(license))
        .build();
    let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    let components = ComponentsBuilder::new()
        .security_scheme("token", bearer)
        .schema_from::<Body>()
        .schema_from::<InvalidField>()
        .schema_from::<Purpose>()
        .schema_from::<Transition>()
        .build();
    OpenApiBuilder::new()
        .info(info)
        .components(Some(components))
        .security(Some([SecurityRequirement::new("token", Vec::<String>::new())]))
        .build()
}

/// Puts into each operation what all of them have: an id of its own, the problems that may be answered, the request's name.
pub(super) fn complete(document: &mut OpenApi) {
    for item in document.paths.paths.values_mut() {
        for operation in operations(item) {
            name(operation);
            on_behalf(operation);
            problems(operation);
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [
        &mut item.get,
        &mut item.put,
        &mut item.post,
        &mut item.delete,
        &mut item.patch,
    ]
    .into_iter()
    .flatten()
}

fn tag(operation: &Operation) -> &str {
    operation.tags.iter().flatten().next().map_or("", String::as_str)
}

fn name(operation: &mut Operation) {
    let id = operation.operation_id.take().unwrap_or_default();
    operation.operation_id = Some(format!("{}_{id}", tag(operation)));
}

/// Groups of calls that a service account can send on behalf of a clerk.
const FOR_CLERKS: [&str; 3] = ["me", "callers", "tickets"];
const ON_BEHALF: &str =
    "The account name of the person for whom a service account sends this. The service account must be allowed to.";

fn on_behalf(operation: &mut Operation) {
    if !FOR_CLERKS.contains(&tag(operation)) {
        return;
    }
    let text = ObjectBuilder::new().schema_type(Type::String);
    let header = ParameterBuilder::new()
        .name("On-Behalf-Of")
        .parameter_in(ParameterIn::Header)
        .schema(Some(text))
        .description(Some(ON_BEHALF));
    operation
        .parameters
        .get_or_insert_default()
        .push(RefOr::T(header.build()));
}

/// Statuses of any call that needs a token, and of one with a body.
const ANY: [&str; 8] = ["400", "401", "403", "405", "429", "500", "503", "507"];
const WITH_BODY: [&str; 3] = ["413", "415", "422"];

fn problems(operation: &mut Operation) {
    let mut statuses: Vec<&str> = Vec::new();
    if tag(operation) != "health" {
        statuses.extend(ANY);
        statuses.push("422");
    }
    if operation.request_body.is_some() {
        statuses.extend(WITH_BODY);
        // What changed between reading and writing.
        statuses.push("412");
    }
    let responses = &mut operation.responses.responses;
    for status in statuses {
        responses
            .entry(status.to_owned())
            .or_insert_with(|| Response::default().into());
    }
    for (status, response) in responses {
        let RefOr::T(response) = response else { continue };
        if status.starts_with(['4', '5']) {
            *response = problem(status);
        } else if response.description.is_empty() {
            response.description = "Done.".to_owned();
        }
        header(
            response,
            "X-Request-Id",
            "The request's id, which is also in its log entry.",
        );
    }
}

fn problem(status: &str) -> Response {
    let titles: BTreeSet<&str> = ProblemKind::all()
        .filter(|kind| kind.status.to_string() == status)
        .map(|kind| kind.name)
        .collect();
    let names: Vec<&str> = titles.into_iter().collect();
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name(Body::name())))
        .build();
    let mut response = ResponseBuilder::new()
        .description(format!("A problem: {}.", names.join(", ")))
        .content("application/problem+json", content)
        .build();
    header(&mut response, "Content-Language", "The language of title and detail.");
    match status {
        "401" => header(&mut response, "WWW-Authenticate", "RFC 6750: Bearer."),
        "429" | "503" => header(&mut response, "Retry-After", "Seconds to wait."),
        _ => {}
    }
    response
}

fn header(response: &mut Response, name: &str, description: &str) {
    let text = ObjectBuilder::new().schema_type(Type::String);
    let header = HeaderBuilder::new()
        .schema(Some(text))
        .description(Some(description))
        .build();
    response.headers.insert(name.to_owned(), header.into());
}

/// Whether the document has a member or a parameter of this name: such a name may be told, another may be what came in.
pub(super) fn is_declared(name: &str) -> bool {
    static NAMES: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
        let mut names = BTreeSet::new();
        collect(&serde_json::to_value(super::openapi()).unwrap_or_default(), &mut names);
        names
    });
    NAMES.contains(name)
}

fn collect(document: &Value, names: &mut BTreeSet<String>) {
    match document {
        Value::Object(members) => {
            if let Some(Value::Object(properties)) = members.get("properties") {
                names.extend(properties.keys().cloned());
            }
            if let (Some(Value::String(name)), Some(_)) = (members.get("name"), members.get("in")) {
                names.insert(name.clone());
            }
            members.values().for_each(|member| collect(member, names));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, names)),
        _ => {}
    }
}
