//! The API's document as other people's tools read it: it is valid, clients are generated from it, a browser tries it out, and no
//! answer is outside it.

use std::path::{Path, PathBuf};

use crate::support::process::{Server, client};
use crate::support::tools::{program, succeeds, tool, tools};
use crate::support::{NAME, NUMBER, World, caller, intake};

/// A served world, and its document in a file.
struct Scene {
    world: World,
    server: Server,
    document: PathBuf,
}

async fn scene() -> Scene {
    let (world, app) = World::unlimited().await;
    drop(app);
    // A tool asks more than a person.
    let rates = [
        "--listen",
        "127.0.0.1:0",
        "--requests-per-minute",
        "1000000",
        "--refusals-per-minute",
        "1000000",
    ];
    let server = Server::start_with(world.dir.path(), "http", &rates);
    let document = world.dir.path().join("openapi.json");
    let answer = client().get(format!("{}/openapi.json", server.base)).call();
    let text = answer
        .unwrap()
        .body_mut()
        .with_config()
        .limit(1 << 24)
        .read_to_string()
        .unwrap();
    std::fs::write(&document, text).unwrap();
    Scene {
        world,
        server,
        document,
    }
}

#[tokio::test]
async fn the_document_is_valid_openapi() {
    let Some(mut validator) = tool("bin/openapi-spec-validator") else {
        return;
    };
    let scene = scene().await;
    let output = validator.arg(&scene.document).output().unwrap();
    succeeds("openapi-spec-validator", &output);
    let broken = scene.world.dir.path().join("broken.json");
    let text = std::fs::read_to_string(&scene.document).unwrap();
    std::fs::write(&broken, text.replace("\"description\":\"Done.\"", "\"description\":1")).unwrap();
    let output = tool("bin/openapi-spec-validator")
        .unwrap()
        .arg(&broken)
        .output()
        .unwrap();
    assert!(!output.status.success(), "the validator finds what is wrong");
}

#[tokio::test]
async fn a_python_client_made_of_it_runs_a_session() {
    let Some(mut generator) = tool("bin/openapi-python-client") else {
        return;
    };
    let scene = scene().await;
    let made = scene.world.dir.path().join("client");
    // It calls its formatter by name.
    let path = format!("{}:{}", tools().join("bin").display(), std::env::var("PATH").unwrap());
    let output = generator
        .env("PATH", path)
        .args(["generate", "--meta", "none", "--fail-on-warning", "--path"])
        .arg(&scene.document)
        .arg("--output-path")
        .arg(made.join("caller_vault_client"))
        .output()
        .unwrap();
    succeeds("openapi-python-client", &output);
    let mut session = tool("bin/python").unwrap();
    let session = session
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/http/tools/session.py"))
        .arg(&scene.server.base)
        .env("PYTHONPATH", &made);
    for (name, who) in [
        ("AGENT", "agent"),
        ("DISPATCHER", "dispatcher"),
        ("HANDLER", "handler-c1"),
        ("OTHER", "handler-w2"),
        ("AUDITOR", "auditor"),
    ] {
        session.env(name, scene.world.token(who));
    }
    succeeds("the session", &session.output().unwrap());
}

#[tokio::test]
async fn types_of_typescript_are_made_of_it() {
    let Some(mut generator) = tool("node_modules/.bin/openapi-typescript") else {
        return;
    };
    let scene = scene().await;
    let types = scene.world.dir.path().join("api.ts");
    let output = generator.arg(&scene.document).arg("-o").arg(&types).output().unwrap();
    succeeds("openapi-typescript", &output);
    let mut compiler = tool("node_modules/.bin/tsc").unwrap();
    let output = compiler.args(["--noEmit", "--strict"]).arg(&types).output().unwrap();
    succeeds("tsc", &output);
}

/// The page of the documentation in a browser: a reader authorises and tries every list out.
#[tokio::test]
async fn every_list_is_tried_out_on_the_page() {
    let (Some(mut reader), Some(browser), Some(driver)) =
        (tool("bin/python"), program("chromium"), program("chromedriver"))
    else {
        return;
    };
    let scene = scene().await;
    let call = intake(caller(NAME, NUMBER));
    let (status, taken) = scene.server.post(&scene.world, "agent", "/v1/intake", &call);
    assert_eq!(status, 201);
    let reader = reader
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/http/tools/try_it_out.py"))
        .arg(&scene.server.base)
        .args([browser, driver])
        .env("ACCOUNT", scene.world.id("agent"))
        .env("CALLER", taken["caller"]["ref"].as_str().unwrap());
    for (name, who) in [
        ("SECURITY_ADMIN", "security-admin"),
        ("DISPATCHER", "dispatcher"),
        ("HANDLER", "handler-c1"),
        ("AUDITOR", "auditor"),
        ("DPO", "dpo"),
    ] {
        reader.env(name, scene.world.token(who));
    }
    succeeds("the page", &reader.output().unwrap());
}

/// Whatever six roles ask, well or badly: each status, media type, header and body is one that the document has.
#[tokio::test]
async fn no_answer_is_outside_the_document() {
    const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,\
        response_schema_conformance,unsupported_method";
    if tool("bin/schemathesis").is_none() {
        return;
    }
    let scene = scene().await;
    for who in ["agent", "dispatcher", "handler-c1", "dpo", "auditor", "security-admin"] {
        let token = format!("Authorization: Bearer {}", scene.world.token(who));
        let output = tool("bin/schemathesis")
            .unwrap()
            .current_dir(scene.world.dir.path())
            .args([
                "run",
                "--url",
                &scene.server.base,
                "--header",
                &token,
                "--checks",
                CHECKS,
            ])
            .args([
                "--phases",
                "examples,coverage,fuzzing",
                "--max-examples",
                "3",
                "--seed",
                "1",
                "--no-color",
            ])
            // What ends the server's work, or waits for news, is not asked at random.
            .args(["--exclude-path", "/v1/keys/lock", "--exclude-path", "/v1/audit/follow"])
            .arg(&scene.document)
            .output()
            .unwrap();
        succeeds(who, &output);
    }
}
