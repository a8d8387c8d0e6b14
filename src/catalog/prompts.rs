//! PROMPTS: ready-made conversation starts, each naming the resources it needs.

use super::Prompt;

/// Every prompt, in the order of lists. None is offered yet.
pub static PROMPTS: &[Prompt] = &[];
