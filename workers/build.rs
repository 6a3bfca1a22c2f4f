//! Removes the white space from the committed OpenAPI document, for the worker to serve. No JSON text
//! contains a line end, so each line can be trimmed.

use std::{env, fs, io, path::PathBuf};

const DOCUMENT: &str = concat!("../../openapi/", env!("CARGO_PKG_NAME"), ".json");

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed={DOCUMENT}");
    let lines = fs::read_to_string(DOCUMENT)?;
    let dense: String = lines.lines().map(str::trim_start).collect();
    let folder = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(folder.join("openapi.json"), dense)
}
