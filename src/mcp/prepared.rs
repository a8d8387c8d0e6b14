//! Results that are the same for every caller of a kind: serialized once per instance and copied into each response.

use super::handler_error::Error;
use super::protocol_version::ProtocolVersion;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// Most results that an instance keeps. One has at most about 15 kB.
const MOST: usize = 64;

/// The inputs of such a result that are not fixed for an instance, as release and configuration are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PreparedKey {
    pub method: &'static str,
    pub version: ProtocolVersion,
    pub caller_kind: CallerKind,
}

/// The traits of a caller that the front end's lists depend on, as bits of its own choosing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CallerKind(pub u16);

/// The results that an instance has serialized.
#[derive(Default)]
pub struct PreparedResults(RefCell<HashMap<PreparedKey, Rc<[u8]>>>);

impl PreparedResults {
    /// The result of that key; `print` makes it the first time. A full store starts anew: the kinds of callers that are active
    /// at one time are few.
    pub fn find_or_print(
        &self,
        key: PreparedKey,
        print: impl FnOnce() -> Result<Vec<u8>, Error>,
    ) -> Result<Rc<[u8]>, Error> {
        if let Some(known) = self.0.borrow().get(&key) {
            return Ok(Rc::clone(known));
        }
        let printed: Rc<[u8]> = print()?.into();
        let mut results = self.0.borrow_mut();
        if results.len() >= MOST {
            results.clear();
        }
        results.insert(key, Rc::clone(&printed));
        Ok(printed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn result_is_printed_once_for_each_kind_of_caller_and_the_store_is_bounded() {
        let results = PreparedResults::default();
        let print = |kind: u16, text: &str| {
            let key =
                PreparedKey { method: "tools/list", version: ProtocolVersion::LATEST, caller_kind: CallerKind(kind) };
            let printed = results.find_or_print(key, || Ok(text.as_bytes().to_vec())).expect("a result");
            String::from_utf8(printed.to_vec()).expect("text")
        };
        assert_eq!([print(1, "one"), print(2, "two"), print(1, "other")], ["one", "two", "one"]);
        for kind in 3..1000 {
            print(kind, "more");
            assert!(results.0.borrow().len() <= MOST);
        }
        assert_eq!(print(1, "anew"), "anew");
    }

    #[test]
    fn failed_result_is_not_kept() {
        let results = PreparedResults::default();
        let key = PreparedKey { method: "tools/list", version: ProtocolVersion::LATEST, caller_kind: CallerKind(0) };
        let failed = results.find_or_print(key, || Err(Error::Internal("no".to_owned())));
        assert!(failed.is_err() && results.0.borrow().is_empty());
    }
}
