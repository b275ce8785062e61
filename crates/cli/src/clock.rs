//! The person's clock on the wall.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Shows the server's timestamps in the person's time zone.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    zone: TimeZone,
}

impl Clock {
    /// The zone of `TZ`, or the system's.
    pub(crate) fn of_system() -> Clock {
        Clock {
            zone: TimeZone::system(),
        }
    }

    /// Greenwich, so that tests show the same everywhere.
    #[cfg(test)]
    pub(crate) fn utc() -> Clock {
        Clock {
            zone: TimeZone::UTC,
        }
    }

    /// The day of a time in milliseconds since 1970 UTC; none for one that no calendar has.
    pub(crate) fn day(&self, at_ms: i64) -> Option<jiff::civil::Date> {
        let at = Timestamp::from_millisecond(at_ms).ok()?;
        Some(at.to_zoned(self.zone.clone()).date())
    }

    /// Hour and minute, "21:04", of a time in milliseconds since 1970 UTC; "--:--" for one that no calendar has.
    pub(crate) fn hour_minute(&self, at_ms: i64) -> String {
        match Timestamp::from_millisecond(at_ms) {
            Ok(at) => at.to_zoned(self.zone.clone()).strftime("%H:%M").to_string(),
            Err(_) => "--:--".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_local_time() {
        let seoul = Clock {
            zone: TimeZone::fixed(jiff::tz::offset(9)),
        };
        assert_eq!(seoul.hour_minute(0), "09:00");
        assert_eq!(seoul.hour_minute(15 * 3_600_000 + 60_000), "00:01");
        assert_eq!(seoul.hour_minute(i64::MAX), "--:--");
    }
}
