//! Removes the white space between the tokens of the committed OpenAPI document. The worker serves
//! the shorter text. No JSON string contains a line end, so the script can trim each line.

use std::{env, fs, io, path::PathBuf};

const DOCUMENT: &str = concat!("../../openapi/", env!("CARGO_PKG_NAME"), ".json");

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed={DOCUMENT}");
    let lines = fs::read_to_string(DOCUMENT)?;
    let dense: String = lines.lines().map(str::trim_start).collect();
    let folder = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(folder.join("openapi.json"), dense)
}
