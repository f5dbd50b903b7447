//! The program `hotdesk`.

fn main() {}
