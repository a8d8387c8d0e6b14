//! A schedule: which calls, in which order their steps happen, what fails.

/// A small generator with a known sequence (`SplitMix64`), so that a seed names a schedule for good.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

/// Which tool a write uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    CreateIncident,
    AddIncidentUpdate,
    ScheduleMaintenance,
    AddMaintenanceUpdate,
}

/// One write that a client wants once, and how it names it.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub tool: Tool,
    pub has_key: bool,
    pub has_external_id: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A call of a write begins (or begins once more), through one of the client's two connections.
    BeginCall {
        write: usize,
        through: usize,
    },
    /// A call in progress continues for this number of steps.
    Step {
        call: usize,
        steps: u8,
    },
    /// The worker dies with one of the calls that are under way.
    Restart(usize),
    Seconds(u16),
}

/// A fault at some uses of a port, which are counted from zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    pub kind: FaultKind,
    pub from: u16,
    pub count: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    DatabaseBefore,
    DatabaseAfter,
    LimiterDown,
    /// The request does not arrive.
    RequestLost,
    /// The work is done and the answer lost.
    AnswerLost,
    /// StatiBeat answers 503 without having done anything.
    Refused,
    /// StatiBeat does the work and answers 500.
    DoneWithError,
}

#[derive(Clone, Debug)]
pub struct Plan {
    pub seed: u64,
    pub wanted: Vec<Wanted>,
    pub events: Vec<Event>,
    pub faults: Vec<Fault>,
}

impl Plan {
    pub fn draw(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let count = usize::try_from(1 + random.below(2)).expect("small");
        let wanted = (0..count).map(|_| Wanted::draw(&mut random)).collect();
        let events = (0..4 + random.below(24)).map(|_| Event::draw(&mut random, count)).collect();
        let faults = (0..random.below(6)).map(|_| Fault::draw(&mut random)).collect();
        Self { seed, wanted, events, faults }
    }

    /// The same with one thing less.
    pub fn smaller(&self) -> Vec<Self> {
        let without_event = (0..self.events.len()).map(|at| {
            let mut plan = self.clone();
            plan.events.remove(at);
            plan
        });
        let without_fault = (0..self.faults.len()).map(|at| {
            let mut plan = self.clone();
            plan.faults.remove(at);
            plan
        });
        without_event.chain(without_fault).collect()
    }
}

impl Wanted {
    fn draw(random: &mut Random) -> Self {
        let tool = match random.below(4) {
            0 => Tool::AddIncidentUpdate,
            1 => Tool::ScheduleMaintenance,
            2 => Tool::AddMaintenanceUpdate,
            _ => Tool::CreateIncident,
        };
        let creates = matches!(tool, Tool::CreateIncident | Tool::ScheduleMaintenance);
        Self { tool, has_key: random.below(2) == 0, has_external_id: creates && random.below(4) == 0 }
    }
}

impl Event {
    fn draw(random: &mut Random, writes: usize) -> Self {
        let any = |random: &mut Random| usize::try_from(random.below(8)).expect("small");
        match random.below(10) {
            0..3 => Self::BeginCall { write: any(random) % writes, through: usize::from(random.below(4) == 0) },
            3..8 => Self::Step { call: any(random), steps: u8::try_from(1 + random.below(6)).expect("small") },
            8 => Self::Restart(any(random)),
            _ => Self::Seconds(u16::try_from(random.below(150)).expect("small")),
        }
    }
}

impl Fault {
    fn draw(random: &mut Random) -> Self {
        let kind = match random.below(8) {
            0 => FaultKind::DatabaseBefore,
            1 => FaultKind::DatabaseAfter,
            2 => FaultKind::LimiterDown,
            3 => FaultKind::RequestLost,
            4 => FaultKind::Refused,
            5 => FaultKind::DoneWithError,
            _ => FaultKind::AnswerLost,
        };
        let mut small = |limit| u16::try_from(random.below(limit)).expect("small");
        Self { kind, from: small(12), count: 1 + small(4) }
    }

    pub fn hits(self, kind: FaultKind, at: u16) -> bool {
        self.kind == kind && (self.from..self.from + self.count).contains(&at)
    }
}
