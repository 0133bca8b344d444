//! `api`: serves the booking engine over HTTP.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::process::ExitCode;

use api::ApiSettings;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use settings::Reader;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Sells numbered seats: hold, confirm, expire, over REST.
#[derive(Parser)]
#[command(name = "api", version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Settings file; without it `rowlock.toml` in the working directory, if there is one
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print the settings in force, without secrets, and exit
    #[arg(long)]
    print_config: bool,
}

#[derive(Clone, Copy, Subcommand)]
enum Command {
    /// Serve (the default)
    Serve,
    /// Apply pending migrations and exit
    Migrate,
    /// Ask the server on this machine whether it is ready, and exit with 1 if not
    Health,
}

fn main() -> ExitCode {
    let help = format!(
        "Settings, from the environment or in lower case from the file:\n{}",
        settings::help_table(&ApiSettings::table())
    );
    let arguments = Arguments::command().after_help(help).get_matches();
    let result = Arguments::from_arg_matches(&arguments).map_err(anyhow::Error::from).and_then(|arguments| run(&arguments));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("api: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let reader = Reader::of_process(&ApiSettings::table(), arguments.config.as_deref());
    if arguments.print_config {
        print!("{}", reader.print_config());
    }
    let settings = ApiSettings::read(reader)?;
    if arguments.print_config {
        return Ok(());
    }
    settings::logs::init(settings.log())?;
    // The lanes' threads; HTTP has its own.
    let threads = settings.lanes();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build()?;
    match arguments.command.unwrap_or(Command::Serve) {
        Command::Serve => runtime.block_on(api::serve(settings)),
        Command::Migrate => runtime.block_on(api::migrate(settings.database())),
        Command::Health => {
            let mut address = settings.address();
            if address.ip().is_unspecified() {
                address.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
            }
            api::probe(address)
        }
    }
}
