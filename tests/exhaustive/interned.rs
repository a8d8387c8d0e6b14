//! Values of the model by number: equal values have equal numbers, so that states stay small and are compared fast.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

/// Every value that a run has seen, shared by all threads.
pub struct Interner<T>(Mutex<Option<Values<T>>>);

struct Values<T> {
    numbers: HashMap<Arc<T>, u32>,
    values: Vec<Arc<T>>,
}

impl<T: Eq + Hash> Interner<T> {
    pub const fn new() -> Self {
        Self(Mutex::new(None))
    }

    pub fn number(&self, value: T) -> u32 {
        let mut values = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let values = values.get_or_insert_with(|| Values { numbers: HashMap::new(), values: Vec::new() });
        if let Some(number) = values.numbers.get(&value) {
            return *number;
        }
        let (number, value) = (u32::try_from(values.values.len()).expect("memory ends before"), Arc::new(value));
        values.values.push(Arc::clone(&value));
        values.numbers.insert(value, number);
        number
    }

    pub fn value(&self, number: u32) -> Arc<T> {
        let values = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&values.as_ref().expect("a value").values[number as usize])
    }
}
