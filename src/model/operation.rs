//! The writes that StatiBeat's admin API offers: which one a call means, how it is sent and where.

use http::Method;
use strum::IntoStaticStr;

/// Which write it is, with the id of its target where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    CreateIncident,
    AddIncidentUpdate { incident_id: i64 },
    UpdateIncident { incident_id: i64 },
    AcknowledgeIncident { incident_id: i64 },
    ResolveIncident { incident_id: i64 },
    ReopenIncident { incident_id: i64 },
    DeleteIncident { incident_id: i64 },
    ScheduleMaintenance,
    AddMaintenanceUpdate { maintenance_id: i64 },
    UpdateMaintenance { maintenance_id: i64 },
    CompleteMaintenance { maintenance_id: i64 },
    CancelMaintenance { maintenance_id: i64 },
    DeleteMaintenance { maintenance_id: i64 },
    RunBeat { beat_id: i64 },
    ApproveBeatAction { action_id: i64 },
    RejectBeatAction { action_id: i64 },
}

/// The kind of thing that an operation changes, in the words of sentences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr)]
#[strum(const_into_str)]
pub enum TargetKind {
    #[strum(serialize = "incident")]
    Incident,
    #[strum(serialize = "maintenance")]
    Maintenance,
    Beat,
    #[strum(serialize = "Beat action")]
    BeatAction,
}

impl TargetKind {
    /// Where StatiBeat keeps them, relative to the page's admin root.
    const fn collection(self) -> &'static str {
        match self {
            Self::Incident => "incidents",
            Self::Maintenance => "maintenances",
            Self::Beat => "beats",
            Self::BeatAction => "beats/actions",
        }
    }

    /// The argument and the variable that name one of them.
    pub const fn id_argument(self) -> &'static str {
        match self {
            Self::Incident => "incident_id",
            Self::Maintenance => "maintenance_id",
            Self::Beat => "beat_id",
            Self::BeatAction => "action_id",
        }
    }
}

impl Operation {
    /// The kind of its target, the target's id, and the part of the path behind the id.
    const fn parts(self) -> (TargetKind, Option<i64>, &'static str) {
        use TargetKind::{Beat, BeatAction, Incident, Maintenance};
        match self {
            Self::CreateIncident => (Incident, None, ""),
            Self::AddIncidentUpdate { incident_id: id } => (Incident, Some(id), "/updates"),
            Self::UpdateIncident { incident_id: id } | Self::DeleteIncident { incident_id: id } => {
                (Incident, Some(id), "")
            }
            Self::AcknowledgeIncident { incident_id: id } => (Incident, Some(id), "/acknowledge"),
            Self::ResolveIncident { incident_id: id } => (Incident, Some(id), "/resolve"),
            Self::ReopenIncident { incident_id: id } => (Incident, Some(id), "/reopen"),
            Self::ScheduleMaintenance => (Maintenance, None, ""),
            Self::AddMaintenanceUpdate { maintenance_id: id } => (Maintenance, Some(id), "/updates"),
            Self::UpdateMaintenance { maintenance_id: id } | Self::DeleteMaintenance { maintenance_id: id } => {
                (Maintenance, Some(id), "")
            }
            Self::CompleteMaintenance { maintenance_id: id } => (Maintenance, Some(id), "/complete"),
            Self::CancelMaintenance { maintenance_id: id } => (Maintenance, Some(id), "/cancel"),
            Self::RunBeat { beat_id: id } => (Beat, Some(id), "/run"),
            Self::ApproveBeatAction { action_id: id } => (BeatAction, Some(id), "/approve"),
            Self::RejectBeatAction { action_id: id } => (BeatAction, Some(id), "/reject"),
        }
    }

    pub const fn target_kind(self) -> TargetKind {
        self.parts().0
    }

    /// `None` for an operation that adds something new to the page.
    pub const fn target_id(self) -> Option<i64> {
        self.parts().1
    }

    pub const fn method(self) -> Method {
        match self {
            Self::UpdateIncident { .. } | Self::UpdateMaintenance { .. } => Method::PATCH,
            Self::DeleteIncident { .. } | Self::DeleteMaintenance { .. } => Method::DELETE,
            Self::CreateIncident
            | Self::AddIncidentUpdate { .. }
            | Self::AcknowledgeIncident { .. }
            | Self::ResolveIncident { .. }
            | Self::ReopenIncident { .. }
            | Self::ScheduleMaintenance
            | Self::AddMaintenanceUpdate { .. }
            | Self::CompleteMaintenance { .. }
            | Self::CancelMaintenance { .. }
            | Self::RunBeat { .. }
            | Self::ApproveBeatAction { .. }
            | Self::RejectBeatAction { .. } => Method::POST,
        }
    }

    /// Relative to the page's admin root, as in `incidents/9/updates`.
    pub fn path(self) -> String {
        let (kind, id, action) = self.parts();
        id.map_or_else(|| kind.collection().to_owned(), |id| format!("{}/{id}{action}", kind.collection()))
    }

    /// Returns whether StatiBeat accepts an external id, under which it carries the write out only once and finds it again.
    pub const fn takes_external_id(self) -> bool {
        matches!(
            self,
            Self::CreateIncident
                | Self::AddIncidentUpdate { .. }
                | Self::ScheduleMaintenance
                | Self::AddMaintenanceUpdate { .. }
        )
    }

    /// Where StatiBeat shows what was written under an external id.
    pub fn lookup_path(self, external_id: &str) -> String {
        format!("{}/external/{external_id}", self.path())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operation_is_sent_to_its_path() {
        for (operation, method, path) in [
            (Operation::CreateIncident, Method::POST, "incidents"),
            (Operation::AddIncidentUpdate { incident_id: 9 }, Method::POST, "incidents/9/updates"),
            (Operation::UpdateIncident { incident_id: 9 }, Method::PATCH, "incidents/9"),
            (Operation::AcknowledgeIncident { incident_id: 9 }, Method::POST, "incidents/9/acknowledge"),
            (Operation::ResolveIncident { incident_id: 9 }, Method::POST, "incidents/9/resolve"),
            (Operation::ReopenIncident { incident_id: 9 }, Method::POST, "incidents/9/reopen"),
            (Operation::DeleteIncident { incident_id: 9 }, Method::DELETE, "incidents/9"),
            (Operation::ScheduleMaintenance, Method::POST, "maintenances"),
            (Operation::AddMaintenanceUpdate { maintenance_id: 9 }, Method::POST, "maintenances/9/updates"),
            (Operation::UpdateMaintenance { maintenance_id: 9 }, Method::PATCH, "maintenances/9"),
            (Operation::CompleteMaintenance { maintenance_id: 9 }, Method::POST, "maintenances/9/complete"),
            (Operation::CancelMaintenance { maintenance_id: 9 }, Method::POST, "maintenances/9/cancel"),
            (Operation::DeleteMaintenance { maintenance_id: 9 }, Method::DELETE, "maintenances/9"),
            (Operation::RunBeat { beat_id: 9 }, Method::POST, "beats/9/run"),
            (Operation::ApproveBeatAction { action_id: 9 }, Method::POST, "beats/actions/9/approve"),
            (Operation::RejectBeatAction { action_id: 9 }, Method::POST, "beats/actions/9/reject"),
        ] {
            assert_eq!((operation.method(), operation.path().as_str()), (method, path));
        }
    }
}
