#!/bin/sh
# rustdoc with its unstable options, which is how it writes JSON.
RUSTC_BOOTSTRAP=1 exec rustdoc "$@"
