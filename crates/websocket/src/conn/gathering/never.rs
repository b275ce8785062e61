//! What `gathering` is without the feature `io-uring`: each connection sends for itself. In the models of loom readers leave what they may, since they may in
//! each order of threads.

use super::{Stream, inner::Inner, shared::Shared};

pub(super) fn may_leave<S: Stream>(shared: &Shared<S>, inner: &Inner<S>) -> bool {
    cfg!(all(test, suda_loom)) && !inner.output_waits && shared.is_enlisted(inner)
}

pub(super) fn may_leave_message<S: Stream>(_: &Shared<S>, _: usize) -> bool {
    false
}

pub(super) fn note_left() {}
