//! Values as JSON, one in a message, through serde.

use serde::{Serialize, de::DeserializeOwned};

use super::{Conn, Error, Reader, Stream, Writer, handle::Handle};
use crate::Message;

impl<S: Stream> Reader<S> {
    /// The next message as a value. Text or binary, its payload has to be one JSON value of this type.
    ///
    /// Cancel safe: a dropped call loses nothing. A message that is no such value is consumed, and the connection goes on.
    ///
    /// # Errors
    /// [`Error::Json`] for a message that is no such value; else as [`read_message`](Self::read_message).
    pub async fn read_json<T: DeserializeOwned>(&mut self) -> Result<T, Error> {
        let message = self.read_message().await?;
        Ok(serde_json::from_slice(message.as_bytes())?)
    }
}

impl<S: Stream> Writer<S> {
    /// Queues a value as a text message. See [`write_message`](Self::write_message), also for cancel safety.
    ///
    /// # Errors
    /// [`Error::Json`] for a value that JSON cannot express: nothing was queued then; else as
    /// [`write_message`](Self::write_message).
    pub async fn write_json<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        write_json(self.handle(), value).await
    }
}

impl<S: Stream> Conn<S> {
    /// The next message as a value. See [`Reader::read_json`]. Cancel safe: a dropped call loses nothing.
    ///
    /// # Errors
    /// As [`Reader::read_json`].
    pub async fn read_json<T: DeserializeOwned>(&mut self) -> Result<T, Error> {
        self.reader.read_json().await
    }

    /// Queues a value as a text message. See [`Writer::write_json`]. Cancel safe as [`write_message`](Self::write_message) is.
    ///
    /// # Errors
    /// As [`Writer::write_json`].
    pub async fn write_json<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        write_json(self.handle(), value).await
    }
}

async fn write_json<S: Stream, T: Serialize + ?Sized>(
    handle: &Handle<S>,
    value: &T,
) -> Result<(), Error> {
    let text = Message::from(serde_json::to_string(value)?);
    handle.write_message(text).await
}
