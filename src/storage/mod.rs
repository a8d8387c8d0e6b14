//! SQL over the `Database` port; a function = one statement or one batch.
