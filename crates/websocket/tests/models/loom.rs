//! Tells the library's sources that they are compiled for loom.

fn main() {
    println!("cargo::rustc-cfg=suda_loom");
}
