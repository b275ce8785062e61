#!/bin/sh
# rustdoc for `cargo xtask test` and `cargo xtask audit`: of the WebSocket library it also writes its public face as JSON, beside the pages.
# JSON is not in the stable language, but it is in the compiler. Only rustdoc is told, since cargo would build anew all that asks for the variable.
case " $* " in
    *" --crate-name suda_websocket "*)
        RUSTC_BOOTSTRAP=1 rustdoc "$@" -Z unstable-options --output-format json || exit
        ;;
esac
exec rustdoc "$@"
