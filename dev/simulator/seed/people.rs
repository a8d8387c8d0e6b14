//! The four demo users, one user of the other organization, and the demo tokens of page 42.

use std::collections::BTreeMap;

use crate::caller::people::{ApiToken, People, User};

pub fn people() -> People {
    let users = [
        demo(1, "Mara Lindqvist", "mara@northwind.example", &[(42, "page_admin"), (43, "page_admin")]),
        demo(2, "Theo Okafor", "theo@northwind.example", &[(42, "page_manager")]),
        demo(3, "Ines Castro", "ines@northwind.example", &[(42, "page_viewer")]),
        demo(4, "Sam Porter", "sam@northwind.example", &[]),
        User { demo: false, ..demo(9, "Greta Holm", "greta@globex.example", &[(77, "page_admin")]) },
    ];
    let token = |token, name, permission, role_key| ApiToken { token, name, page_id: 42, permission, role_key };
    People {
        users: users.into_iter().map(|user| (user.id, user)).collect(),
        tokens: vec![
            token("sb_demo_admin_42", "Demo admin token", "admin", "page_admin"),
            token("sb_demo_write_42", "Demo write token", "write", "page_manager"),
            // A manager's role that the token's own permission narrows down to reading.
            token("sb_demo_read_42", "Demo read token", "read", "page_manager"),
        ],
    }
}

fn demo(id: u64, name: &'static str, email: &'static str, roles: &[(u64, &str)]) -> User {
    let roles: BTreeMap<u64, String> = roles.iter().map(|(page, role)| (*page, (*role).to_owned())).collect();
    User { id, name, email, locale: "en", time_zone: "Europe/Stockholm", demo: true, disabled: false, roles }
}
