#!/bin/sh
# rustc for the project's own crates, with the planted bugs: see sim.rs. What they depend on is built as ever.
exec "$@" --cfg suda_mutants
