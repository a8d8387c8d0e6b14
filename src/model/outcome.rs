//! Outcome and reason of a call: the values from which the log, the metrics, the usage counts, the diagnostics and the audit row
//! are computed.

use strum::{AsRefStr, EnumString, IntoStaticStr, VariantArray};

/// The end of a call, or of an action in the audit log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum Outcome {
    /// The request succeeded. In the audit log, whose rows are actions, [`Self::Done`].
    Answered,
    Done,
    /// An earlier attempt succeeded; its result was returned again.
    Replayed,
    /// A preview was shown; nothing was published.
    Previewed,
    /// The person declined or did not answer.
    Declined,
    /// A check, the operator's rules or StatiBeat refused it.
    Refused,
    /// Rate limited; nothing was done.
    Limited,
    /// It failed; nothing was done.
    Failed,
    /// It was sent, and its outcome is unknown.
    Unknown,
}

impl Outcome {
    /// The word that is stored and logged.
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }

    /// Returns the outcome that an HTTP status implies.
    pub const fn of_status(status: u16) -> Self {
        match status {
            ..400 => Self::Answered,
            400..500 => Self::Refused,
            500.. => Self::Failed,
        }
    }

    /// The outcome as the log and the metrics group it: answered, refused, failed or unknown.
    pub const fn of_request(self) -> Self {
        match self {
            Self::Answered | Self::Done | Self::Replayed | Self::Previewed | Self::Declined => Self::Answered,
            Self::Refused | Self::Limited => Self::Refused,
            Self::Failed => Self::Failed,
            Self::Unknown => Self::Unknown,
        }
    }
}

/// Reason why a tool call failed or differed from a normal one: the `reason` of the log and the `detail` of the audit
/// row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum Reason {
    /// The client was not granted a scope.
    Scope,
    Arguments,
    /// There is no such page for this person and client.
    Page,
    /// The person's role on the page does not allow it.
    Role,
    WritesPaused,
    PageBlocked,
    GrantEnded,
    /// The lifecycle stage cannot be moved like this.
    Stage,
    TextRule,
    /// Start and end do not fit.
    Times,
    /// A preview that the call asked for.
    Requested,
    /// A preview inside a question to the person.
    InputRequest,
    ByPerson,
    /// The client closed the question without the person's answer (elicitation `cancel`).
    Cancelled,
    /// The write must be confirmed first.
    Unconfirmed,
    /// A confirm token that confirms something else, or has expired.
    #[strum(serialize = "confirm_token_invalid")]
    InvalidToken,
    #[strum(serialize = "confirm_token_redeemed")]
    TokenRedeemed,
    /// Too many writes of the connection.
    #[strum(serialize = "connection")]
    ConnectionLimit,
    /// Too many writes on the page.
    #[strum(serialize = "page")]
    PageLimit,
    LimiterUnavailable,
    StorageUnavailable,
    StillRunning,
    KeyConflict,
    Duplicate,
    PossibleDuplicate,
    FoundAfterLostAnswer,
    FoundAfterLostAttempt,
    ExistedAlready,
    UpstreamNotFound,
    UpstreamForbidden,
    UpstreamInvalid,
    UserEnded,
    CredentialRefused,
    UpstreamRateLimited,
    UpstreamUnavailable,
    CircuitOpen,
    UpstreamMalformed,
    ContractViolation,
    OutcomeUnknown,
}

impl Reason {
    /// The word that is stored and logged.
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

/// Reason for a missing result, as stored in a connection's diagnostics. It contains nothing of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AsRefStr, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum CallProblem {
    /// The client supports no common protocol version.
    ProtocolVersion,
    /// It breaks the protocol in another way, or asks for a method that does not exist.
    Protocol,
    /// It calls a tool or prompt that does not exist.
    NoSuchTool,
    /// It reads a missing or inaccessible resource.
    NotFound,
    Parameters,
    /// It was not granted the scope.
    Scope,
    /// The person's role does not allow it.
    Role,
    /// The person has paused the connection's writes.
    WritesPaused,
    /// A tool returned an error, with its reason.
    Tool,
    /// The client lacks a capability that an answer needs.
    Capability,
    /// The person's access has ended.
    PersonEnded,
    /// StatiBeat gave no answer in time.
    Upstream,
    /// A connector error, or an error between StatiBeat and the connector.
    Ours,
}

impl CallProblem {
    /// The problem that a tool's error stands for, by the reason of the call.
    pub const fn of_tool_error(reason: Option<Reason>) -> Self {
        match reason {
            Some(Reason::Scope) => Self::Scope,
            Some(Reason::Role | Reason::UpstreamForbidden) => Self::Role,
            Some(Reason::Page) => Self::NotFound,
            Some(Reason::Arguments) => Self::Parameters,
            Some(Reason::WritesPaused) => Self::WritesPaused,
            _ => Self::Tool,
        }
    }

    pub const ALL: &[Self] = <Self as VariantArray>::VARIANTS;

    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }
}
