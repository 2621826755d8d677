//! A vault with staff, as benches use it.

use std::sync::Arc;

use callervault::clock::System;
use callervault::keyring::unlock::Passphrase;
use callervault::model::key_roles::Suite;
use callervault::model::principals::{DepartmentKind, PrincipalKind, Role};
use callervault::randomness;
use callervault::vault::Vault;
use callervault::vault::life::init::Founding;
use callervault::vault::life::open::Places;
use callervault::vault::people::approvals::Exact;
use callervault::vault::people::{NewDepartment, NewPrincipal, NewToken};
use zeroize::Zeroizing;

/// A directory with a vault, and the tokens of its staff.
pub(crate) struct Scene {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) agent: String,
    pub(crate) dispatcher: String,
    pub(crate) handler: String,
    /// The three administrators: account and token.
    pub(crate) founders: Vec<(String, String)>,
}

pub(crate) fn passphrase() -> Passphrase {
    Passphrase::new(Zeroizing::new("a passphrase for a bench".to_owned())).unwrap()
}

/// A centre H0 with an agent and a dispatcher, and an organ C1 with a handler.
pub(crate) async fn scene() -> Scene {
    let dir = tempfile::tempdir().unwrap();
    let places = Places::below(dir.path());
    // Tables of working days for whatever year it is.
    let years = (2024..2100).map(|year| format!("[{year}]\nsource = \"a bench\"\nholidays = []\nworked = []\n"));
    std::fs::create_dir_all(&places.policies).unwrap();
    std::fs::write(places.policies.join("holidays.toml"), years.collect::<String>()).unwrap();
    let founding = Founding {
        origin: "bench.invalid/log/1".to_owned(),
        centre: "H0".parse().unwrap(),
        centre_name: "Centre".to_owned(),
        suite: Suite::Aes,
    };
    let founders = Vault::init(&places, &passphrase(), &founding, &System, Arc::new(randomness::System))
        .unwrap()
        .keep();
    let vault = Vault::open(&places, &passphrase(), Arc::new(System), "bench")
        .await
        .unwrap();
    let admin = vault
        .authenticate(&founders[0].token, vault.new_request().unwrap())
        .await
        .unwrap();
    let organ = NewDepartment {
        code: "C1".parse().unwrap(),
        name: "Organ".to_owned(),
        kind: DepartmentKind::Organ,
        city_code: None,
    };
    vault.make_department(&admin, organ).await.unwrap();
    let mut tokens = Vec::new();
    for (department, role) in [("H0", Role::Agent), ("H0", Role::Dispatcher), ("C1", Role::Handler)] {
        let new = NewPrincipal {
            name: role.to_string(),
            department: department.parse().unwrap(),
            roles: vec![role],
            kind: PrincipalKind::Service,
            acts_for: false,
        };
        let alone = Exact::default();
        let made = vault.make_principal(&admin, new, &alone).await.unwrap();
        let id = made.now.id.parse().unwrap();
        let issued = vault.issue_token(&admin, id, &NewToken::default(), &alone).await;
        tokens.push(issued.unwrap().token);
    }
    let [agent, dispatcher, handler] = tokens.try_into().unwrap();
    let founders = founders.iter().map(|one| (one.account.clone(), one.token.to_string()));
    let founders = founders.collect();
    Scene {
        dir,
        agent,
        dispatcher,
        handler,
        founders,
    }
}
