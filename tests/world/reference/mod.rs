//! A reference model of hot desking, and the people who put it and a whole network through the same things.
//!
//! [`Desk`] says in a page what SPEC 5 promises about one user. It shares nothing with the product but the words. [`Office`] lets
//! people log in, log out and call at random, and asks after each pause whether the network is where the model says.

mod calls;
mod desk;
mod office;

pub use office::Office;
