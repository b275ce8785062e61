//! The C library zlib, as the other side of what is tested.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

pub(crate) const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// The peer's encoder.
pub(crate) struct Encoder(Compress);

impl Encoder {
    pub(crate) fn new(window_bits: u8) -> Self {
        Self(Compress::new_with_window_bits(
            Compression::default(),
            false,
            window_bits,
        ))
    }

    /// A message's payload without its tail.
    pub(crate) fn message(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = self.flushed(bytes);
        assert!(out.ends_with(&TAIL));
        out.truncate(out.len() - TAIL.len());
        out
    }

    /// A piece of a message with its tail.
    pub(crate) fn flushed(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.run(bytes, FlushCompress::Sync)
    }

    /// A message that ends in a block with BFINAL, and the byte that RFC 7692, section 7.2.3.4, puts behind it.
    pub(crate) fn final_message(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = self.run(bytes, FlushCompress::Finish);
        self.0.reset();
        out.push(0);
        out
    }

    fn run(&mut self, bytes: &[u8], flush: FlushCompress) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 8 + 1024);
        let before = self.0.total_in();
        let status = self.0.compress_vec(bytes, &mut out, flush).unwrap();
        assert_eq!(self.0.total_in() - before, bytes.len() as u64);
        assert!(matches!(status, Status::Ok | Status::StreamEnd));
        out
    }
}

/// The peer's decoder. It refuses whatever refers back further than its window.
pub(crate) struct Decoder(Decompress);

impl Decoder {
    pub(crate) fn new(window_bits: u8) -> Self {
        Self(Decompress::new_with_window_bits(false, window_bits))
    }

    /// Inflates a message's payload, to which the tail is added.
    pub(crate) fn message(&mut self, payload: &[u8]) -> Vec<u8> {
        let input = [payload, &TAIL].concat();
        let (mut out, mut taken) = (Vec::new(), 0);
        loop {
            // Little room at a time, so that the window is what is referred to.
            out.reserve(1);
            let (before_in, before_out) = (self.0.total_in(), out.len());
            self.0
                .decompress_vec(&input[taken..], &mut out, FlushDecompress::Sync)
                .unwrap();
            taken += (self.0.total_in() - before_in) as usize;
            if taken == input.len() && out.len() == before_out {
                return out;
            }
        }
    }
}
