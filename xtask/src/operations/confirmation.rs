//! The question before a command that reaches many people: type the environment's name.

use anyhow::{Context, Result, bail, ensure};
use std::io::{BufRead, IsTerminal, Write};

/// The environment whose name is wanted, and what the operator has said so far.
pub struct Confirmation<'a> {
    pub environment: &'a str,
    pub given: Option<&'a str>,
    /// A person can be asked.
    pub has_terminal: bool,
}

impl<'a> Confirmation<'a> {
    pub fn new(environment: &'a str, given: Option<&'a str>) -> Self {
        Self { environment, given, has_terminal: std::io::stdin().is_terminal() }
    }

    /// `true` if `--confirm` named the environment, `false` if a person can still be asked.
    pub fn is_given(&self) -> Result<bool> {
        let Self { environment, given, has_terminal } = self;
        match given {
            Some(name) if name == environment => Ok(true),
            Some(name) => bail!("--confirm is {name}, --env is {environment}: they must be equal. Nothing was changed"),
            None if *has_terminal => Ok(false),
            None => bail!("nobody can be asked here: add `--confirm {environment}`. Nothing was changed"),
        }
    }

    pub fn ask(&self) -> Result<()> {
        print!("Type the environment's name to go on: ");
        std::io::stdout().flush()?;
        self.read_answer(&mut std::io::stdin().lock())
    }

    fn read_answer(&self, input: &mut dyn BufRead) -> Result<()> {
        let mut answer = String::new();
        input.read_line(&mut answer).context("reading the answer")?;
        let answer = answer.trim();
        ensure!(answer == self.environment, "{answer:?} is not {}. Nothing was changed", self.environment);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Confirmation;

    #[test]
    fn only_the_environments_name_is_an_answer() {
        let confirmation = Confirmation { environment: "production", given: None, has_terminal: true };
        for (typed, is_right) in
            [("production\n", true), (" production \n", true), ("y\n", false), ("staging\n", false), ("", false)]
        {
            assert_eq!(confirmation.read_answer(&mut typed.as_bytes()).is_ok(), is_right, "{typed:?}");
        }
    }
}
