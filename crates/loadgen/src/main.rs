//! The command line of the load generator.

mod cli;

use std::process::ExitCode;

use clap::Parser;

// The product's servers have it too: a baseline with a slower allocator would be no fair contestant.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::Cli::parse().run()
}
