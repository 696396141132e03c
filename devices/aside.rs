//! Work that may wait for a device or for the disk, on a thread of its own and none of the runtime's: a device that never
//! answers holds up neither who shares the runtime nor the daemon's end, which waits for the runtime's own threads.

use std::io;

use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// Does it, and answers what came of it; an error if there is no thread to do it. Whoever stops asking leaves it running:
/// what it then brings is dropped where it is.
pub(crate) async fn aside<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<T> {
    let runtime = Handle::current();
    let (done, result) = oneshot::channel();
    std::thread::Builder::new().name(name.to_owned()).spawn(move || {
        // Files that can be waited for belong to a runtime.
        let _within = runtime.enter();
        // Who asked may have gone.
        let _ = done.send(work());
    })?;
    result.await.map_err(|_| io::ErrorKind::Other.into())
}
