//! The surface over a scripted StatiBeat.
