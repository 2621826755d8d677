//! `callervault demo`: a throw-away vault with synthetic departments, principals and calls.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use jiff::tz::TimeZone;
use zeroize::Zeroizing;

use super::credentials::{Credentials, DEPARTMENTS, Department, Principal};
use super::init::write_secret;
use super::{Done, Failure, import, log_to_stderr, runtime, say, serve, tour, unlocked};
use crate::atomic_file;
use crate::clock::{Clock, System};
use crate::http::{self, App, Listen, Listener};
use crate::keyring::unlock::Passphrase;
use crate::model::approvals::Reason;
use crate::model::ask::RequestId;
use crate::model::deadlines::Holidays;
use crate::model::fields::FieldSet;
use crate::model::ids::ApprovalId;
use crate::model::key_roles::Suite;
use crate::model::principals::{DepartmentKind, PrincipalKind, Role};
use crate::model::reference::DepartmentCode;
use crate::randomness;
use crate::vault::Asked;
use crate::vault::life::init::Founding;
use crate::vault::life::open::{Places, Running};
use crate::vault::people::approvals::{Decision, Exact};
use crate::vault::people::{NewDepartment, NewPrincipal, NewToken};
use crate::vault::{Error, Session, Vault};

/// 200 invented calls; see tests/data/README.md.
const CALLS: &str = include_str!("../../tests/data/calls.jsonl");
/// The invented callers' ID numbers carry birth years of people not yet born.
const INVENTED_YEARS: &str = "\n[id_no]\nlatest_birth_year = 2049\n";
const CENTRE: &str = "H0";
const USUAL_PORT: u16 = 8440;

/// Run a temporary vault with synthetic departments and calls; with --once, run the tour.
#[derive(Args)]
pub(super) struct Demo {
    /// Keep the vault in this new directory instead of a temporary one.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Address and port to listen on; port 0 takes a free one [default: 127.0.0.1:8440, with --once a free port].
    #[arg(long)]
    listen: Option<SocketAddr>,
    /// Run the tour over HTTP, then stop. Exit 1 if a step fails.
    #[arg(long)]
    once: bool,
}

impl Demo {
    pub(super) fn run(self) -> Done {
        log_to_stderr();
        let temporary = tempfile::Builder::new().prefix("callervault-demo-").tempdir()?;
        let directory = self.dir.clone().unwrap_or_else(|| temporary.path().to_owned());
        let port = if self.once { 0 } else { USUAL_PORT };
        let listen = self.listen.unwrap_or_else(|| (Ipv4Addr::LOCALHOST, port).into());
        runtime()?.block_on(async {
            // Where the address is taken, nothing is made.
            let listener = Listen::plain(listen).bind().await?;
            let (vault, credentials) = furnish(&directory).await?;
            self.serve(vault, credentials, &directory, listener).await
        })
    }

    async fn serve(&self, vault: Vault, mut credentials: Credentials, directory: &Path, listener: Listener) -> Done {
        let (finish, finished) = tokio::sync::oneshot::channel::<()>();
        let signal = serve::stop();
        let stop = async move {
            tokio::select! {
                () = signal => {}
                _ = finished => {}
            }
        };
        credentials.base_url = format!("http://{}", listener.address());
        let serving = tokio::spawn(http::serve_on(App::new(vault), listener, None, stop));
        let text = serde_json::to_string_pretty(&credentials).map_err(Failure::unavailable)?;
        write_secret(&directory.join("credentials.json"), &text)?;
        let toured = if self.once {
            let walk = tokio::task::spawn_blocking(move || tour::walk(&credentials));
            let toured = walk.await.map_err(Failure::unavailable)?;
            // Already told to stop by a signal, then.
            let _ = finish.send(());
            toured
        } else {
            greet(&credentials.base_url, directory)
        };
        serving.await.map_err(Failure::unavailable)??;
        toured
    }
}

fn greet(base: &str, directory: &Path) -> Done {
    say(format!("open     {base}/docs"))?;
    say(format!("tokens   {}", directory.join("credentials.json").display()))?;
    say("try      the curl session of README.md, with these tokens")?;
    say("stop     Ctrl-C")?;
    Ok(())
}

/// Makes the vault and fills it.
async fn furnish(directory: &Path) -> Result<(Vault, Credentials), Failure> {
    let places = Places::below(directory);
    let random = RequestId::random(&randomness::System).map_err(Failure::unavailable)?;
    let passphrase = Zeroizing::new(format!("demo-{}", random.as_str()));
    let founding = Founding {
        origin: "demo.callervault.invalid/log/1".to_owned(),
        centre: CENTRE.parse::<DepartmentCode>().map_err(Failure::usage)?,
        centre_name: "政务服务便民热线中心".to_owned(),
        suite: Suite::Aes,
    };
    std::fs::create_dir_all(&places.policies)?;
    let fields = format!("{}{INVENTED_YEARS}", FieldSet::SHIPPED);
    atomic_file::create(&places.policies.join("fields.toml"), fields.as_bytes())?;
    atomic_file::create(
        &places.policies.join("holidays.toml"),
        working_days(&System)?.as_bytes(),
    )?;
    let secret = Passphrase::new(passphrase.clone()).map_err(Failure::usage)?;
    let founders = Vault::init(&places, &secret, &founding, &System, Arc::new(randomness::System))?.keep();
    write_secret(&directory.join("passphrase"), &passphrase)?;
    // 200 calls are taken at once by one agent.
    let filling = Running {
        limited: false,
        ..Running::patient()
    };
    let vault = Arc::new(unlocked(&places, &secret, ("demo", "demo"), filling).await?);

    let mut credentials = Credentials {
        base_url: String::new(),
        departments: Vec::new(),
        principals: Vec::new(),
    };
    credentials.departments.push(Department {
        code: CENTRE.to_owned(),
        name: founding.centre_name,
    });
    for founder in founders {
        credentials.principals.push(Principal {
            name: founder.account,
            department: CENTRE.to_owned(),
            roles: vec![founder.role],
            token: founder.token.to_string(),
        });
    }
    staff(&vault, &mut credentials).await?;
    fill(&vault, &credentials).await?;
    drop(vault);
    let vault = unlocked(&places, &secret, ("demo", "demo"), Running::patient()).await?;
    Ok((vault, credentials))
}

/// The working days that the program ships with and, so that the demo runs in any year, every Monday to Friday of this year and the next
/// where they end before.
fn working_days(clock: &dyn Clock) -> Result<String, Failure> {
    let mut tables = Holidays::SHIPPED.to_owned();
    let last = Holidays::load(&tables).map_err(Failure::unavailable)?.last_year();
    let this = TimeZone::UTC
        .to_datetime(clock.now().map_err(Failure::unavailable)?)
        .year();
    for year in last + 1..=this + 1 {
        tables.push_str(&format!(
            "\n[{year}]\nsource = \"invented for the demo\"\nholidays = []\nworked = []\n"
        ));
    }
    Ok(tables)
}

/// Departments and a principal for every role.
async fn staff(vault: &Vault, credentials: &mut Credentials) -> Done {
    let admin = session(vault, credentials, "security-admin").await?;
    for (code, name) in DEPARTMENTS {
        let new = NewDepartment {
            code: code.parse::<DepartmentCode>().map_err(Failure::usage)?,
            name: name.to_owned(),
            kind: DepartmentKind::Organ,
            city_code: None,
        };
        vault.make_department(&admin, new).await.map_err(Failure::unavailable)?;
        credentials.departments.push(Department {
            code: code.to_owned(),
            name: name.to_owned(),
        });
        hire(
            vault,
            &admin,
            credentials,
            &format!("handler-{}", code.to_lowercase()),
            code,
            Role::Handler,
        )
        .await?;
    }
    for role in [
        Role::Agent,
        Role::Dispatcher,
        Role::Callback,
        Role::Supervisor,
        Role::Analyst,
        Role::Dpo,
    ] {
        hire(vault, &admin, credentials, role.as_str(), CENTRE, role).await?;
    }
    Ok(())
}

async fn hire(
    vault: &Vault,
    admin: &Session,
    credentials: &mut Credentials,
    name: &str,
    department: &str,
    role: Role,
) -> Done {
    let new = NewPrincipal {
        name: name.to_owned(),
        department: department.parse::<DepartmentCode>().map_err(Failure::usage)?,
        roles: vec![role],
        kind: PrincipalKind::Person,
        acts_for: false,
    };
    let auditor = session(vault, credentials, "auditor").await?;
    let mut exact = Exact {
        request: name.as_bytes().to_vec(),
        ..Exact::default()
    };
    let made = loop {
        let made = vault.make_principal(admin, new.clone(), &exact).await;
        match made {
            Err(Error::Asked(asked)) => exact.approval = Some(second(vault, &auditor, &asked).await?),
            made => break made.map_err(Failure::unavailable)?,
        }
    };
    let id = made.now.id.parse().map_err(Failure::unavailable)?;
    exact.approval = None;
    let issued = loop {
        let issued = vault.issue_token(admin, id, &NewToken::default(), &exact).await;
        match issued {
            Err(Error::Asked(asked)) => exact.approval = Some(second(vault, &auditor, &asked).await?),
            issued => break issued.map_err(Failure::unavailable)?,
        }
    };
    credentials.principals.push(Principal {
        name: name.to_owned(),
        department: department.to_owned(),
        roles: vec![role],
        token: issued.token,
    });
    Ok(())
}

/// The auditor approves.
async fn second(vault: &Vault, auditor: &Session, asked: &Asked) -> Result<ApprovalId, Failure> {
    let id = asked.approval.id.parse().map_err(Failure::unavailable)?;
    let reason = Reason::new(Zeroizing::new("for the demo".to_owned()));
    let decided = vault.decide_on(auditor, id, Decision::Approve, reason.as_ref()).await;
    decided.map_err(Failure::unavailable)?;
    Ok(id)
}

async fn fill(vault: &Arc<Vault>, credentials: &Credentials) -> Done {
    let agent = session(vault, credentials, "agent").await?;
    let mut count = import::shipped(vault, &agent, CALLS).await?;
    count.ended()?;
    if let Some(rejected) = count.first_rejected() {
        return Err(Failure::check_failed(format!("demo call: {rejected}")));
    }
    say(format!(
        "{} synthetic calls taken; {} repeat callers matched for certain, {} tentatively",
        count.taken, count.certain, count.tentative
    ))?;
    Ok(())
}

async fn session(vault: &Vault, credentials: &Credentials, name: &str) -> Result<Session, Failure> {
    vault
        .authenticate(
            credentials.token(name)?,
            vault.new_request().map_err(Failure::unavailable)?,
        )
        .await
        .map_err(Failure::unavailable)
}
