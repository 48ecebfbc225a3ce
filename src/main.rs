//! The `fusewire` binary: arguments to shell, script, server or demo; an error to an exit code.

use std::{
    future::Future,
    io::{self, IsTerminal, Write},
    panic::{self, PanicHookInfo},
    path::PathBuf,
    process::{self, ExitCode},
    thread,
};

use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand, error::ErrorKind};
use fusewire::{
    Config, Engine, Error, Fault, Result,
    config::{self, Flag, THREAD_STACK_BYTES},
    demo::Shop,
    server,
    shell::{self, Exit, Format, IN_MEMORY, Input},
};
use mimalloc::MiMalloc;
use tokio::{
    net::TcpListener,
    runtime::{Builder, Runtime},
};

/// Whose memory all of the process has.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Exit codes beside those of [`Exit`]: an argument or a setting is wrong; a bug.
const USAGE_CODE: i32 = 2;
const BUG_CODE: i32 = 70;

/// Threads that talk to clients.
const NETWORK_THREADS: usize = 2;

const EXAMPLES: &str = "\
Examples:
  fusewire                                          open the shell; \\? lists its commands
  fusewire --data-dir shop                          the same, keeping tables and models in ./shop
  fusewire -c \"SELECT * FROM 'orders.parquet'\"      query a file
  fusewire --format csv -f report.sql > report.csv  run a script; the first error ends it
  fusewire --data-dir shop serve                    serve psql and BI tools on 127.0.0.1:5432
  fusewire demo                                     generate a shop, join, train, recommend and predict

Exit codes: 0 everything ran, 1 a statement failed, 2 wrong arguments or settings.";

/// A SQL engine that joins scattered data, learns models from it and serves both over the PostgreSQL protocol.
///
/// Without a command it opens a shell; with -c, -f or SQL on standard input it runs a script.
#[derive(Debug, Parser)]
#[command(name = "fusewire", version, after_help = EXAMPLES)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,

    /// Run these statements and leave; may be repeated and mixed with -f
    #[arg(short = 'c', long = "command", value_name = "SQL")]
    statements: Vec<String>,

    /// Run the statements of a file and leave; - is standard input
    #[arg(short = 'f', long = "file", value_name = "FILE")]
    files: Vec<PathBuf>,

    /// How results are written
    #[arg(long, value_enum, default_value_t)]
    format: Format,

    /// Keep tables, views, secrets and models in this directory; without it they live in memory
    #[arg(long, value_name = "DIR", global = true)]
    data_dir: Option<String>,

    /// Read settings from this file
    #[arg(long, value_name = "FILE", global = true, env = "FUSEWIRE_CONFIG")]
    config: Option<PathBuf>,

    /// Change a setting; --help lists them
    #[arg(long = "set", value_name = "NAME=VALUE", global = true, value_parser = name_and_value)]
    settings: Vec<(String, String)>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve psql, BI tools and programs over the PostgreSQL protocol
    Serve(ServeArguments),
    /// Generate a shop, join its files, train on them, and ask the models
    Demo(DemoArguments),
}

#[derive(Debug, Args)]
struct ServeArguments {
    /// The address to listen on
    #[arg(long)]
    host: Option<String>,

    /// The port to listen on; 0 picks a free one
    #[arg(long)]
    port: Option<u16>,

    /// A path or URL that SQL from clients may open; may be repeated
    #[arg(long = "allow-path", value_name = "PATH")]
    allow_paths: Vec<String>,
}

#[derive(Debug, Args)]
struct DemoArguments {
    /// How much of everything there is; 1 has 40,000 orders
    #[arg(long, default_value_t = 1.0)]
    scale: f64,

    /// The same seed and scale give the same shop
    #[arg(long, default_value_t = 42)]
    seed: u64,

    /// The folder for the shop's files and for what the engine keeps
    #[arg(long, value_name = "DIR", default_value = "fusewire-demo")]
    dir: PathBuf,

    /// Then serve it to psql and BI tools
    #[arg(long)]
    serve: bool,

    /// The port to serve on; 0 picks a free one
    #[arg(long)]
    port: Option<u16>,
}

fn main() -> ExitCode {
    panic::set_hook(Box::new(report_bug));
    // The first thread's stack is as small as the system likes it.
    let first = thread::Builder::new().stack_size(THREAD_STACK_BYTES).spawn(run);
    let code = first.map_or(BUG_CODE, |first| first.join().unwrap_or(BUG_CODE));
    // Threads that still run a cancelled statement are not waited for.
    process::exit(code)
}

/// Runs what the arguments ask for; its exit code.
fn run() -> i32 {
    let settings = format!(
        "{EXAMPLES}\n\nSettings, in a file (name = value), in the environment (FUSEWIRE_ and the name in upper case) \
         or with --set name=value;\nlater ones win in this order:\n{}",
        config::help()
    );
    let matches = Arguments::command().after_long_help(settings).get_matches();
    let arguments = match Arguments::from_arg_matches(&matches) {
        Ok(arguments) => arguments,
        Err(error) => error.exit(),
    };
    if arguments.command.is_some() && !(arguments.statements.is_empty() && arguments.files.is_empty()) {
        let message = "-c and -f run a script and leave; they cannot be combined with a command";
        Arguments::command().error(ErrorKind::ArgumentConflict, message).exit();
    }
    let configuration = match configuration(&arguments) {
        Ok(configuration) => configuration,
        Err(error) => return fail(&error, USAGE_CODE),
    };
    let ended = runtime(&arguments).and_then(|runtime| {
        let ended = match &arguments.command {
            Some(Command::Serve(_)) => runtime.block_on(serve(configuration)).map(|()| Exit::Success),
            Some(Command::Demo(demonstration)) => demo(&runtime, configuration, demonstration),
            None => converse(&runtime, configuration, &arguments, &matches),
        };
        runtime.shutdown_background();
        ended
    });
    match ended {
        Ok(exit) => exit.code(),
        Err(error) => fail(&error, Exit::Failed.code()),
    }
}

/// Runs the scripts that the arguments name, or the shell.
fn converse(runtime: &Runtime, configuration: Config, arguments: &Arguments, matches: &ArgMatches) -> Result<Exit> {
    let inputs = inputs(arguments, matches);
    let interactive = inputs.is_empty() && io::stdin().is_terminal();
    if configuration.data_dir.is_none() && !interactive {
        tell(IN_MEMORY);
    }
    let engine = runtime.block_on(Engine::open(configuration))?;
    if interactive {
        return shell::run_interactive(runtime, &engine, arguments.format);
    }
    let inputs = if inputs.is_empty() { vec![Input::Stdin] } else { inputs };
    shell::run_script(runtime, &engine, &inputs, arguments.format)
}

/// What -c and -f name, in the order in which they were given.
fn inputs(arguments: &Arguments, matches: &ArgMatches) -> Vec<Input> {
    let indices = |name| matches.indices_of(name).into_iter().flatten();
    let texts = arguments.statements.iter().map(|text| Input::Text(text.clone()));
    let files = arguments.files.iter().map(|path| match path.as_os_str() == "-" {
        true => Input::Stdin,
        false => Input::File(path.clone()),
    });
    let mut inputs: Vec<(usize, Input)> = indices("statements").zip(texts).chain(indices("files").zip(files)).collect();
    inputs.sort_by_key(|(index, _)| *index);
    inputs.into_iter().map(|(_, input)| input).collect()
}

/// Generates the shop, runs its scripts aloud, and says how to go on.
fn demo(runtime: &Runtime, mut configuration: Config, arguments: &DemoArguments) -> Result<Exit> {
    let shop = Shop { scale: arguments.scale, seed: arguments.seed, folder: arguments.dir.clone() };
    let data_dir = configuration.data_dir.get_or_insert_with(|| shop.data_dir()).clone();
    // The directory is locked before the files in it are replaced.
    let listener = match arguments.serve {
        true => Some(runtime.block_on(listen(&configuration.listen_host, configuration.listen_port))?),
        false => None,
    };
    configuration.allow_paths.push(shop.folder.join("shop").display().to_string());
    let engine = runtime.block_on(Engine::open(configuration))?;
    say(&shop.generate()?);
    let scripts = shop.scripts();
    let scripts: Vec<(&str, &str)> = scripts.iter().map(|script| (script.name, script.text.as_str())).collect();
    let exit = shell::run_aloud(runtime, &engine, &scripts)?;
    if exit != Exit::Success {
        return Ok(exit);
    }
    let Some(listener) = listener else {
        let (data, folder) = (data_dir.display(), shop.folder.display());
        // As it was called, because the binary need not be on the path.
        let program = std::env::args().next().unwrap_or_else(|| "fusewire".to_owned());
        let serve = format!("{program} --data-dir {data} serve --allow-path {folder}/shop");
        say(&format!("\nto look around:    {program} --data-dir {data}"));
        say(&format!("to serve it:       {serve}"));
        say("and then connect:  psql -h 127.0.0.1 -p 5432 fusewire");
        return Ok(Exit::Success);
    };
    say("");
    runtime.block_on(async {
        let shutdown = shutdown_signal()?;
        announce(&listener)?;
        server::run(listener, engine, shutdown).await
    })?;
    Ok(Exit::Success)
}

/// Writes a line to the output; whoever reads it may have gone.
fn say(line: &str) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// Opens the engine and serves clients until a signal asks to stop. The address is taken first: a start that fails
/// should not have touched the data.
async fn serve(configuration: Config) -> Result<()> {
    if configuration.data_dir.is_none() {
        tell(IN_MEMORY);
    }
    let listener = listen(&configuration.listen_host, configuration.listen_port).await?;
    let engine = Engine::open(configuration).await?;
    let shutdown = shutdown_signal()?;
    announce(&listener)?;
    server::run(listener, engine, shutdown).await
}

async fn listen(host: &str, port: u16) -> Result<TcpListener> {
    let failed = |error| cannot_listen(host, port, &error);
    let addresses: Vec<_> = tokio::net::lookup_host((host, port)).await.map_err(failed)?.collect();
    for address in &addresses {
        server::check_address(address)?;
    }
    TcpListener::bind(addresses.as_slice()).await.map_err(failed)
}

/// Says where the server is, for people and for programs that wait for it; a server whose output nobody reads goes on.
fn announce(listener: &TcpListener) -> Result<()> {
    let address = listener.local_addr().map_err(|error| cannot_listen("the address", 0, &error))?;
    let mut out = io::stdout().lock();
    let lines =
        format!("listening on {address}\nconnect with: psql -h {} -p {} fusewire\n", address.ip(), address.port());
    let _ = out.write_all(lines.as_bytes()).and_then(|()| out.flush());
    Ok(())
}

fn cannot_listen(host: &str, port: u16, error: &io::Error) -> Error {
    let hint = match error.kind() {
        io::ErrorKind::AddrInUse => {
            Some("stop the other server, or choose another --port; 0 is any free one".to_owned())
        }
        io::ErrorKind::PermissionDenied => Some("choose a --port of at least 1024".to_owned()),
        _ => None,
    };
    Error::Statement { fault: Fault::Io, message: format!("cannot listen on {host}:{port}: {error}"), hint }
}

/// Ends at the first signal to stop; a second one does not wait for clients.
fn shutdown_signal() -> Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};

    let failed = |error| Error::new(Fault::Io, format!("signals cannot be received: {error}"));
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    Ok(async move {
        tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
        tell("stopping; a second signal stops at once");
        tokio::spawn(async move {
            tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
            process::exit(Exit::Interrupted.code());
        });
    })
}

/// Defaults, then the file, the environment and the flags.
fn configuration(arguments: &Arguments) -> Result<Config> {
    let flag =
        |name: &str, values: Vec<String>, flag: &str| Flag { name: name.to_owned(), values, flag: flag.to_owned() };
    let mut flags: Vec<Flag> = arguments
        .settings
        .iter()
        .map(|(name, value)| flag(name, config::values(name, value), &format!("--set {name}")))
        .collect();
    flags.extend(arguments.data_dir.iter().map(|path| flag("data_dir", vec![path.clone()], "--data-dir")));
    if let Some(Command::Demo(demo)) = &arguments.command {
        flags.extend(demo.port.iter().map(|port| flag("listen_port", vec![port.to_string()], "--port")));
    }
    if let Some(Command::Serve(serve)) = &arguments.command {
        flags.extend(serve.host.iter().map(|host| flag("listen_host", vec![host.clone()], "--host")));
        flags.extend(serve.port.iter().map(|port| flag("listen_port", vec![port.to_string()], "--port")));
        if !serve.allow_paths.is_empty() {
            flags.push(flag("allow_paths", serve.allow_paths.clone(), "--allow-path"));
        }
    }
    let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
    let environment = std::env::vars_os().map(|(name, value)| (text(name), text(value)));
    Config::load(arguments.config.as_deref(), environment, &flags)
}

/// Queries and training run on threads of the engine's own. The shell needs none beside the one it has; clients of the
/// server are spread over a few.
fn runtime(arguments: &Arguments) -> Result<Runtime> {
    let mut builder = match &arguments.command {
        Some(Command::Serve(_) | Command::Demo(_)) => Builder::new_multi_thread(),
        None => Builder::new_current_thread(),
    };
    builder
        .worker_threads(NETWORK_THREADS)
        .thread_stack_size(THREAD_STACK_BYTES)
        .thread_name("fusewire-network")
        .enable_all()
        .build()
        .map_err(|error| Error::new(Fault::Internal, format!("threads cannot be started: {error}")))
}

fn name_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) => Ok((name.trim().to_owned(), value.trim().to_owned())),
        None => Err("expected name=value, for example threads=2".to_owned()),
    }
}

fn fail(error: &Error, code: i32) -> i32 {
    tell(&shell::describe_error(error));
    code
}

/// Writes to standard error; when that is closed there is nobody to tell.
fn tell(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", text.trim_end());
}

fn report_bug(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let what = panic.payload_as_str().unwrap_or("no message");
    let text = format!(
        "fusewire {} failed at {place}: {what}\nthis is a bug: please report it with the statement that led to it at {}/issues\n",
        env!("CARGO_PKG_VERSION"),
        env!("CARGO_PKG_REPOSITORY"),
    );
    tell(&text);
}
