//! Reveals per second.

fn main() {}
