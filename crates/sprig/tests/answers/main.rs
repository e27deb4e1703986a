//! Functions and the modules behind them against answers recorded from Go, Sprig and the libraries
//! that Sprig uses.

mod certificates;
mod recorded;
mod regexp;
mod semver;
mod templates;
