//! The `callervault` program: parses its arguments and calls one function.

fn main() -> std::process::ExitCode {
    callervault::cli::run()
}
