//! CEL against the program that Flux uses.
//!
//! `recorded/answers.jsonl` holds what `e2e/testbed/health`, which is built on Flux's own package, answered for each
//! line of `recorded/expressions.txt` (parsed only, over the object `kustomization`) and of `recorded/compiled.txt`
//! (type-checked, over the object `dependency`). Where the program is there it is asked again, and for generated
//! expressions too:
//!
//! | variable | meaning |
//! |---|---|
//! | `FERRITE_CEL` | the program, called with the argument `cel`; without it the test bed's is taken, and without that the test is skipped |
//! | `FERRITE_CEL_CASES` | how many generated expressions, else 2000 |
//! | `FERRITE_CEL_SEED` | the first seed, else 1; each expression has the next one |
//! | `FERRITE_CEL_RECORD` | if set, the answers are written to `recorded/answers.jsonl` |

#![allow(clippy::panic, clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod cases;
mod differential;
mod generated;
mod hostile;
mod original;
mod recorded;
mod types;
