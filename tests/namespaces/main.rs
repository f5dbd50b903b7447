//! Three sites as three processes, each in a network namespace of its own with its phones beside it, and wires between them that can
//! be cut: SPEC 8 with the real program, real sockets and `kill -9`.
//!
//! Needs root and `ip` (Debian: iproute2); without them every test says so and is left out. All namespaces are made and removed by
//! the test, also by one that fails; those of a test that was killed are removed by the next one. With `--no-capture` the story is
//! told with its ladder.

mod company;
mod ground;
mod ladder;
mod people;
mod rounds;
mod story;
