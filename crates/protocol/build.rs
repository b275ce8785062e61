//! Turns `proto/suda/v1` into Rust: types (prost), their JSON mapping (pbjson), and the tables of error and close codes
//! from the `(suda.v1.info)` option of the enum values. No protoc is needed.

use std::error::Error;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::{env, fs};

use protox::prost_reflect::{DescriptorPool, EnumDescriptor, ExtensionDescriptor};

const FILES: [&str; 4] = [
    "suda/v1/command.proto",
    "suda/v1/entry.proto",
    "suda/v1/error.proto",
    "suda/v1/server.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    let out = PathBuf::from(env::var("OUT_DIR")?);

    let mut compiler = protox::Compiler::new(["proto"])?;
    compiler
        .include_source_info(true)
        .include_imports(true)
        .open_files(FILES)?;
    let descriptors = compiler.file_descriptor_set();
    let encoded = compiler.encode_file_descriptor_set();
    let pool = compiler.descriptor_pool();

    let tables = [
        table(&pool, "ErrorCode", "ERROR")?,
        table(&pool, "CloseCode", "CLOSE")?,
    ];
    let mut config = prost_build::Config::new();
    // `Connect` holds a token, which no log may show.
    config.skip_debug(["suda.v1.Connect"]);
    for row in tables.iter().flatten() {
        config.field_attribute(&row.path, format!("#[doc = {:?}]", row.message));
    }
    config.compile_fds(descriptors)?;

    pbjson_build::Builder::new()
        .register_descriptors(&encoded)?
        .ignore_unknown_fields()
        .ignore_unknown_enum_variants()
        .build(&[".suda.v1"])?;

    let [errors, closes] = &tables;
    let mut code = String::new();
    writeln!(code, "pub(crate) static ERRORS: &[ErrorRow] = &[")?;
    for row in errors {
        writeln!(
            code,
            "    ErrorRow {{ code: v1::ErrorCode::{}, name: {:?}, message: {:?}, retryable: {}, http_status: {} }},",
            row.variant, row.name, row.message, row.retryable, row.http_status
        )?;
    }
    writeln!(code, "];\npub(crate) static CLOSES: &[CloseRow] = &[")?;
    for row in closes {
        writeln!(
            code,
            "    CloseRow {{ code: v1::CloseCode::{}, name: {:?}, message: {:?}, come_back: {} }},",
            row.variant, row.name, row.message, row.retryable
        )?;
    }
    writeln!(code, "];")?;
    fs::write(out.join("tables.rs"), code)?;
    Ok(())
}

/// One row of a table of codes.
struct Row {
    /// The value's full name in the schema.
    path: String,
    /// Its name in Rust.
    variant: String,
    /// Its name for people.
    name: String,
    message: String,
    retryable: bool,
    http_status: u32,
}

/// Reads a table; a value without a row, or with an empty sentence, fails the build.
fn table(pool: &DescriptorPool, name: &str, prefix: &str) -> Result<Vec<Row>, Box<dyn Error>> {
    let codes = pool
        .get_enum_by_name(&format!("suda.v1.{name}"))
        .ok_or("the enum is missing")?;
    let info = pool
        .get_extension_by_name("suda.v1.info")
        .ok_or("the option `info` is missing")?;
    rows(&codes, &info, &format!("{prefix}_CODE_"))
}

fn rows(
    codes: &EnumDescriptor,
    info: &ExtensionDescriptor,
    prefix: &str,
) -> Result<Vec<Row>, Box<dyn Error>> {
    codes
        .values()
        .map(|value| {
            let options = value.options();
            let row = options.get_extension(info);
            let row = row.as_message().ok_or("`info` is not a message")?;
            let field = |name: &str| {
                row.get_field_by_name(name)
                    .ok_or(format!("`info` has no field {name}"))
            };
            let message = field("message")?.as_str().unwrap_or_default().to_owned();
            let name = value
                .name()
                .strip_prefix(prefix)
                .ok_or("a value lacks its enum's prefix")?
                .to_lowercase();
            if message.is_empty() {
                return Err(format!("{} has no row in the table", value.name()).into());
            }
            Ok(Row {
                path: format!("{}.{}", codes.full_name(), value.name()),
                variant: upper_camel(&name),
                name,
                message,
                retryable: field("retryable")?.as_bool().unwrap_or_default(),
                http_status: field("http_status")?.as_u32().unwrap_or_default(),
            })
        })
        .collect()
}

fn upper_camel(name: &str) -> String {
    name.split('_')
        .map(|word| {
            let (first, rest) = word.split_at(1);
            first.to_uppercase() + rest
        })
        .collect()
}
