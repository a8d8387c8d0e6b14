//! Outcome and reason of a call: the values from which the log, the metrics, the usage counts, the diagnostics and the audit row
//! are computed.

use strum::{AsRefStr, EnumString, IntoStaticStr, VariantArray};

/// The end of a call, or of an action in the audit log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum Outcome {
    /// A request got what it asked for. In the audit log, whose rows are about actions, [`Self::Done`].
    Answered,
    Done,
    /// An earlier attempt had done it; its result was given again.
    Replayed,
    /// A preview was shown; nothing was published.
    Previewed,
    /// The person was asked and said no, or nothing.
    Declined,
    /// A person, a rule of ours, or StatiBeat said no.
    Refused,
    /// Too many in too short a time; nothing was done.
    Limited,
    /// It could not be done; nothing was.
    Failed,
    /// It was sent, and no answer says whether it was done.
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

/// Why a tool call was not carried out, or not as usual: the `reason` of the log and the `detail` of the audit row.
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
    #[strum(serialize = "lint")]
    TextRule,
    /// Start and end do not fit.
    Times,
    /// A preview that the call asked for.
    AskedFor,
    /// A preview inside a question to the person.
    #[strum(serialize = "question")]
    InputRequest,
    ByPerson,
    /// The client closed the question without the person's answer (elicitation `cancel`).
    Cancelled,
    /// The write must be confirmed first.
    Unconfirmed,
    /// A confirm token that confirms something else, or has expired.
    #[strum(serialize = "handle")]
    InvalidToken,
    #[strum(serialize = "handle_spent")]
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
    SameElsewhere,
    SimilarIncident,
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
    #[strum(serialize = "upstream_unfit")]
    ContractViolation,
    OutcomeUnknown,
}

impl Reason {
    /// The word that is stored and logged.
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

/// Why a request got no result, as a connection's diagnostics keep it. Nothing of the request itself is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AsRefStr, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum CallProblem {
    /// The client speaks no protocol version that we speak.
    #[strum(serialize = "revision")]
    ProtocolVersion,
    /// It breaks the protocol in another way, or asks for a method that does not exist.
    Protocol,
    /// It calls a tool or prompt that does not exist.
    NoSuchTool,
    /// It reads what does not exist, or not for it.
    NotFound,
    Parameters,
    /// It was not granted the scope.
    Scope,
    /// The person's role does not allow it.
    Role,
    /// A tool said no, and why.
    Tool,
    /// The client lacks a capability that an answer needs.
    Capability,
    /// The person can no longer act at all.
    PersonEnded,
    /// StatiBeat gave no answer in time.
    Upstream,
    /// The fault is ours, or between StatiBeat and us.
    Ours,
}

impl CallProblem {
    pub const ALL: &[Self] = <Self as VariantArray>::VARIANTS;

    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }
}
