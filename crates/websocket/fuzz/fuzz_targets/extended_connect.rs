#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| suda_websocket_fuzz::extended_connect(data));
