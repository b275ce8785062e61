//! Negotiating permessage-deflate (RFC 7692, sections 5 and 7.1).

use http::header::{HeaderMap, HeaderValue};

use super::answer::AnswerFault;
use super::extensions::{Extension, Malformed, extensions};
use super::field::Lines;
use crate::{Compression, WINDOW_BITS_MAX, WINDOW_BITS_MIN};

const NAME: &str = "permessage-deflate";
const SERVER_NO_CONTEXT_TAKEOVER: &str = "server_no_context_takeover";
const CLIENT_NO_CONTEXT_TAKEOVER: &str = "client_no_context_takeover";
const SERVER_MAX_WINDOW_BITS: &str = "server_max_window_bits";
const CLIENT_MAX_WINDOW_BITS: &str = "client_max_window_bits";

/// The parameters of one offer or answer.
#[derive(Debug, Default, PartialEq, Eq)]
struct Parameters {
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_max_window_bits: Option<u8>,
    client_max_window_bits: Option<ClientWindow>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ClientWindow {
    /// The parameter without a value: the client can be told.
    Any,
    Bits(u8),
}

impl Parameters {
    /// `None` if there is one that is unknown, stands twice or has a value that it cannot have (section 7.1).
    fn read(extension: &Extension<'_>) -> Option<Self> {
        let mut all = Self::default();
        for (name, value) in &extension.parameters {
            let value = value.as_deref();
            let is_first = match (*name, value) {
                (SERVER_NO_CONTEXT_TAKEOVER, None) => {
                    !std::mem::replace(&mut all.server_no_context_takeover, true)
                }
                (CLIENT_NO_CONTEXT_TAKEOVER, None) => {
                    !std::mem::replace(&mut all.client_no_context_takeover, true)
                }
                (SERVER_MAX_WINDOW_BITS, Some(value)) => all
                    .server_max_window_bits
                    .replace(window_bits(value)?)
                    .is_none(),
                (CLIENT_MAX_WINDOW_BITS, value) => {
                    let window = match value {
                        None => ClientWindow::Any,
                        Some(value) => ClientWindow::Bits(window_bits(value)?),
                    };
                    all.client_max_window_bits.replace(window).is_none()
                }
                _ => return None,
            };
            if !is_first {
                return None;
            }
        }
        Some(all)
    }

    fn text(&self) -> String {
        let mut text = NAME.to_owned();
        for (name, stands) in [
            (SERVER_NO_CONTEXT_TAKEOVER, self.server_no_context_takeover),
            (CLIENT_NO_CONTEXT_TAKEOVER, self.client_no_context_takeover),
        ] {
            if stands {
                text.push_str(&format!("; {name}"));
            }
        }
        if let Some(bits) = self.server_max_window_bits {
            text.push_str(&format!("; {SERVER_MAX_WINDOW_BITS}={bits}"));
        }
        match self.client_max_window_bits {
            Some(ClientWindow::Any) => text.push_str(&format!("; {CLIENT_MAX_WINDOW_BITS}")),
            Some(ClientWindow::Bits(bits)) => {
                text.push_str(&format!("; {CLIENT_MAX_WINDOW_BITS}={bits}"));
            }
            None => {}
        }
        text
    }
}

/// 8 to 15 in decimal without leading zeros (sections 7.1.2.1 and 7.1.2.2).
fn window_bits(value: &str) -> Option<u8> {
    let bits = value.parse().ok()?;
    ((8..=WINDOW_BITS_MAX).contains(&bits) && !value.starts_with(['0', '+'])).then_some(bits)
}

/// As a server: chooses the first offer that can be accepted, if there is one; gives what is agreed on and the answer's field.
pub(super) fn choose(
    ours: Option<&Compression>,
    lines: &(impl Lines + ?Sized),
) -> Result<Option<(Compression, HeaderValue)>, Malformed> {
    let offers = extensions(lines)?;
    let Some(ours) = ours else { return Ok(None) };
    Ok(offers
        .iter()
        .filter(|offer| offer.name == NAME)
        .filter_map(Parameters::read)
        .find_map(|offer| accept(&ours.bounded(), &offer)))
}

fn accept(ours: &Compression, offer: &Parameters) -> Option<(Compression, HeaderValue)> {
    let server_bits = match offer.server_max_window_bits {
        // Our encoder has no window that small.
        Some(bits) if bits < WINDOW_BITS_MIN => return None,
        Some(bits) => bits.min(ours.server_max_window_bits),
        None => ours.server_max_window_bits,
    };
    // Without the parameter in its offer a client must not be told (section 7.1.2.2).
    let client_bits = match offer.client_max_window_bits {
        Some(ClientWindow::Bits(bits)) => bits.min(ours.client_max_window_bits),
        Some(ClientWindow::Any) => ours.client_max_window_bits,
        None => WINDOW_BITS_MAX,
    };
    let agreed = Compression {
        server_no_context_takeover: ours.server_no_context_takeover
            || offer.server_no_context_takeover,
        client_no_context_takeover: ours.client_no_context_takeover
            || offer.client_no_context_takeover,
        server_max_window_bits: server_bits,
        client_max_window_bits: client_bits,
        ..*ours
    };
    let answer = Parameters {
        server_no_context_takeover: agreed.server_no_context_takeover,
        client_no_context_takeover: agreed.client_no_context_takeover,
        // A limit that was asked for must be confirmed, also where it is none.
        server_max_window_bits: (server_bits < WINDOW_BITS_MAX
            || offer.server_max_window_bits.is_some())
        .then_some(server_bits),
        client_max_window_bits: (client_bits < WINDOW_BITS_MAX)
            .then_some(ClientWindow::Bits(client_bits)),
    };
    let value = HeaderValue::try_from(answer.text()).ok()?;
    Some((agreed, value))
}

/// As a client: what to offer.
pub(super) fn offer(ours: &Compression) -> String {
    parameters_offered(&ours.bounded()).text()
}

fn parameters_offered(ours: &Compression) -> Parameters {
    Parameters {
        server_no_context_takeover: ours.server_no_context_takeover,
        client_no_context_takeover: ours.client_no_context_takeover,
        server_max_window_bits: (ours.server_max_window_bits < WINDOW_BITS_MAX)
            .then_some(ours.server_max_window_bits),
        client_max_window_bits: Some(if ours.client_max_window_bits < WINDOW_BITS_MAX {
            ClientWindow::Bits(ours.client_max_window_bits)
        } else {
            ClientWindow::Any
        }),
    }
}

/// As a client: verifies the answer to [`offer`]; gives what is agreed on.
pub(super) fn verify(
    ours: Option<&Compression>,
    headers: &HeaderMap,
) -> Result<Option<Compression>, AnswerFault> {
    let answers = extensions(headers).map_err(|Malformed| AnswerFault::Extension)?;
    let (answer, ours) = match (&answers[..], ours) {
        ([], _) => return Ok(None),
        ([answer], Some(ours)) if answer.name == NAME => (answer, ours.bounded()),
        _ => return Err(AnswerFault::Extension),
    };
    Parameters::read(answer)
        .and_then(|answer| agree(&ours, &answer))
        .map(Some)
        .ok_or(AnswerFault::Compression)
}

/// `None` if the answer does not keep to the offer.
fn agree(ours: &Compression, answer: &Parameters) -> Option<Compression> {
    let offered = parameters_offered(ours);
    if offered.server_no_context_takeover && !answer.server_no_context_takeover {
        return None;
    }
    let server_bits = match (
        offered.server_max_window_bits,
        answer.server_max_window_bits,
    ) {
        (Some(_), None) => return None,
        (Some(asked), Some(bits)) if bits > asked => return None,
        (_, bits) => bits.unwrap_or(WINDOW_BITS_MAX),
    };
    let client_bits = match answer.client_max_window_bits {
        // In an answer it must have a value (section 7.1.2.2), which only makes the window smaller.
        Some(ClientWindow::Any) => return None,
        Some(ClientWindow::Bits(bits)) if bits > ours.client_max_window_bits => return None,
        Some(ClientWindow::Bits(bits)) => bits,
        None => ours.client_max_window_bits,
    };
    Some(Compression {
        server_no_context_takeover: answer.server_no_context_takeover,
        client_no_context_takeover: ours.client_no_context_takeover
            || answer.client_no_context_takeover,
        server_max_window_bits: server_bits,
        client_max_window_bits: client_bits,
        ..*ours
    })
}
