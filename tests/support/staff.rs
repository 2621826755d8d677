//! Who works with a vault, hired and given tokens as a security administrator does.

use callervault::model::principals::{DepartmentKind, PrincipalKind, Role};
use callervault::vault::Asked;
use callervault::vault::people::approvals::{Decision, Exact};
use callervault::vault::people::{NewDepartment, NewPrincipal, NewToken};
use callervault::vault::{Error, Session, Vault};
use data_encoding::HEXLOWER;

use crate::support::World;
use crate::support::approvals::seen;

/// Who was there before anybody was hired.
const FOUNDERS: [&str; 3] = ["auditor", "security-admin", "system-admin"];

impl World {
    /// Departments and those who work in them.
    pub(crate) async fn staff(&mut self, vault: &Vault) {
        let admin = vault
            .authenticate(self.token("security-admin"), vault.new_request().unwrap())
            .await
            .unwrap();
        let departments = [
            ("C1", DepartmentKind::Organ),
            ("W2", DepartmentKind::Organ),
            ("E4", DepartmentKind::Enterprise),
        ];
        for (code, kind) in departments {
            let new = NewDepartment {
                code: code.parse().unwrap(),
                name: format!("Department {code}"),
                kind,
                city_code: None,
            };
            vault.make_department(&admin, new).await.unwrap();
        }
        let staff = [
            ("agent", "H0", Role::Agent),
            ("other-agent", "H0", Role::Agent),
            ("dispatcher", "H0", Role::Dispatcher),
            ("handler-c1", "C1", Role::Handler),
            ("handler-w2", "W2", Role::Handler),
            ("handler-e4", "E4", Role::Handler),
            ("dpo", "H0", Role::Dpo),
        ];
        for (name, department, role) in staff {
            let new = NewPrincipal {
                name: name.to_owned(),
                department: department.parse().unwrap(),
                roles: vec![role],
                kind: PrincipalKind::Person,
                acts_for: false,
            };
            self.hire(vault, "security-admin", new).await;
        }
        let founders = self.data().rows("principal").read(["account", "id"]);
        let text = |(account, id): (String, Vec<u8>)| (account, HEXLOWER.encode(&id));
        self.ids.extend(founders.into_iter().map(text));
    }

    /// Makes a principal and a token for it. Where that takes two persons, the first auditor approves.
    pub(crate) async fn hire(&mut self, vault: &Vault, admin: &str, new: NewPrincipal) {
        let admin = vault
            .authenticate(self.token(admin), vault.new_request().unwrap())
            .await
            .unwrap();
        let auditor = vault
            .authenticate(self.token("auditor"), vault.new_request().unwrap())
            .await
            .unwrap();
        let approve = async |asked: Asked| {
            let id = asked.approval.id.parse().unwrap();
            vault
                .decide_on(&auditor, id, Decision::Approve, Some(&seen()))
                .await
                .unwrap();
            id
        };
        let mut exact = Exact::default();
        let made = loop {
            match vault.make_principal(&admin, new.clone(), &exact).await {
                Err(Error::Asked(asked)) => exact.approval = Some(approve(asked).await),
                made => break made.unwrap().now,
            }
        };
        self.ids.insert(new.name.clone(), made.id);
        self.equip(vault, &admin, &new.name).await;
    }

    /// Issues a token for an account that was hired. Where that takes two persons, the first auditor approves.
    async fn equip(&mut self, vault: &Vault, admin: &Session, name: &str) {
        let id = self.id(name).parse().unwrap();
        let ever = NewToken::default();
        let mut exact = Exact::default();
        let token = loop {
            match vault.issue_token(admin, id, &ever, &exact).await {
                Err(Error::Asked(asked)) => {
                    let auditor = vault
                        .authenticate(self.token("auditor"), vault.new_request().unwrap())
                        .await;
                    let id = asked.approval.id.parse().unwrap();
                    let (auditor, yes) = (auditor.unwrap(), Decision::Approve);
                    vault.decide_on(&auditor, id, yes, Some(&seen())).await.unwrap();
                    exact.approval = Some(id);
                }
                token => break token.unwrap().token,
            }
        };
        self.tokens.insert(name.to_owned(), token);
    }

    /// After the next log was opened: the security administrator has this token, and gives everybody who was hired a new one.
    pub(crate) async fn readmitted(&mut self, vault: &Vault, token: &str) {
        self.tokens.insert("security-admin".to_owned(), token.to_owned());
        let admin = vault.authenticate(token, vault.new_request().unwrap()).await.unwrap();
        let hired = self.ids.keys().filter(|name| !FOUNDERS.contains(&name.as_str()));
        for name in hired.cloned().collect::<Vec<_>>() {
            self.equip(vault, &admin, &name).await;
        }
    }
}
