#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| suda_websocket_fuzz::proxy_answers(data));
