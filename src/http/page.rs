//! The printable page of a statement. The template escapes whatever stands in it: a department's name is somebody's input.

use askama::Template;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use data_encoding::BASE64;

use super::problem::Language;
use crate::model::actions::Action;
use crate::model::fields::FieldSet;
use crate::model::principals::Role;
use crate::model::problems::{self, Words};
use crate::model::purposes::{Form, Purpose};
use crate::model::rights::REMEDY;
use crate::vault::auditing::statement::{Line, Numbers, Statement};

/// The page's only style. Its hash is in the policy that the page is sent with, so that nothing else applies.
const STYLE: &str = "body{font:14px/1.5 sans-serif;margin:2em auto;max-width:70em;padding:0 1em}\
    h1{font-size:1.5em}h2{font-size:1.2em;margin-top:1.5em}\
    table{border-collapse:collapse;width:100%}th,td{border:1px solid #999;padding:.25em .5em;text-align:left;vertical-align:top}\
    .facts{width:auto}tr{break-inside:avoid}@media print{body{margin:0;max-width:none}}";

/// A statement for people.
#[derive(Template)]
#[template(path = "statement.html")]
struct Page<'s> {
    statement: &'s Statement,
    language: Language,
    declared: &'s FieldSet,
}

impl Page<'_> {
    const fn words(&self, words: Words) -> &'static str {
        self.language.words(words)
    }

    const fn t(&self, en: &'static str, zh: &'static str) -> &'static str {
        self.words(Words { en, zh })
    }

    const fn tag(&self) -> &'static str {
        self.t("en", "zh-CN")
    }

    #[expect(clippy::unused_self, reason = "the template calls methods")]
    const fn style(&self) -> &'static str {
        STYLE
    }

    #[expect(clippy::unused_self, reason = "the template calls methods")]
    const fn remedy(&self) -> Words {
        REMEDY
    }

    /// Labels of fields. One that is no longer declared has its name.
    fn fields(&self, names: &[String]) -> String {
        let label = |name: &String| match (self.declared.get(name), self.language) {
            (Some(field), Language::English) => field.en().to_owned(),
            (Some(field), Language::Chinese) => field.zh().to_owned(),
            (None, _) => name.clone(),
        };
        let labels: Vec<String> = names.iter().map(label).collect();
        labels.join(self.t(", ", "、"))
    }

    #[expect(clippy::unused_self, reason = "the template calls methods")]
    fn number(&self, line: &Line) -> String {
        match (line.number, line.record) {
            (Some(number), Some(1)) => number.to_string(),
            (Some(number), Some(record)) => format!("{record}/{number}"),
            _ => "–".to_owned(),
        }
    }

    fn what(&self, line: &Line) -> String {
        let what = self.words(line.what.label());
        let action = line.act.as_deref().and_then(Action::from_word);
        match action {
            Some(action) => format!("{what}{}{}", self.t(": ", "："), self.words(action.label())),
            None => what.to_owned(),
        }
    }

    #[expect(clippy::unused_self, reason = "the template calls methods")]
    fn department<'l>(&self, line: &'l Line) -> &'l str {
        line.department_name.as_deref().unwrap_or(&line.department)
    }

    fn role(&self, line: &Line) -> &'static str {
        let role = line.role.as_deref().and_then(Role::from_word);
        role.map_or("", |role| self.words(role.label()))
    }

    fn form(&self, line: &Line) -> &'static str {
        let form = line.form.as_deref().and_then(Form::from_word);
        form.map_or("", |form| self.words(form.label()))
    }

    fn purpose(&self, line: &Line) -> &'static str {
        let purpose = Purpose::from_word(&line.purpose);
        purpose.map_or("", |purpose| self.words(purpose.label()))
    }

    fn numbers(&self, numbers: &[Numbers]) -> String {
        let text = |of: &Numbers| match of.record {
            1 => format!("{}–{}", of.first, of.last),
            record => format!("{record}/{}–{record}/{}", of.first, of.last),
        };
        let texts: Vec<String> = numbers.iter().map(text).collect();
        texts.join(self.t(", ", "、"))
    }

    fn has_other_records(&self) -> bool {
        self.statement.checked.iter().any(|numbers| numbers.record > 1)
    }
}

/// The statement as a page, which loads and runs nothing.
pub(super) fn page(statement: &Statement, language: Language, declared: &FieldSet) -> Response {
    let page = Page {
        statement,
        language,
        declared,
    };
    let Ok(html) = page.render() else {
        return super::Problem::from(problems::INTERNAL).into_response();
    };
    let style = BASE64.encode(ring::digest::digest(&ring::digest::SHA256, STYLE.as_bytes()).as_ref());
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    let mut answer = html.into_response();
    let headers = answer.headers_mut();
    let mut set = |name: HeaderName, value: HeaderValue| headers.insert(name, value);
    set(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    set(header::CONTENT_LANGUAGE, language.header());
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        set(header::CONTENT_SECURITY_POLICY, policy);
    }
    answer
}
