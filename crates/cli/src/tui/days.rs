//! The calendar of the timeline: which messages are of one day, and what that day is called.

use crate::clock::Clock;
use crate::language::Language;

/// The day's name where the message is of another day than the one before it, or the first.
pub(super) fn divider(
    before_ms: Option<i64>,
    at_ms: i64,
    clock: &Clock,
    language: Language,
) -> Option<String> {
    let day = clock.day(at_ms)?;
    if before_ms.and_then(|at_ms| clock.day(at_ms)) == Some(day) {
        return None;
    }
    Some(match language {
        Language::English => day.strftime("%A, %-d %B %Y").to_string(),
        Language::Korean => {
            let weekday = ["월", "화", "수", "목", "금", "토", "일"]
                [usize::try_from(day.weekday().to_monday_zero_offset()).unwrap_or(0)];
            format!(
                "{}년 {}월 {}일 {weekday}요일",
                day.year(),
                day.month(),
                day.day()
            )
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: i64 = 3_600_000;

    #[test]
    fn the_first_message_and_each_new_day_have_one() {
        let clock = Clock::utc();
        let of = |before, at, language| divider(before, at, &clock, language);
        assert_eq!(
            of(None, 0, Language::English).as_deref(),
            Some("Thursday, 1 January 1970")
        );
        assert_eq!(
            of(None, 0, Language::Korean).as_deref(),
            Some("1970년 1월 1일 목요일")
        );
        assert_eq!(of(Some(0), 23 * HOUR_MS, Language::Korean), None);
        assert_eq!(
            of(Some(23 * HOUR_MS), 24 * HOUR_MS, Language::Korean).as_deref(),
            Some("1970년 1월 2일 금요일")
        );
    }

    #[test]
    fn a_time_that_no_calendar_has_has_no_day() {
        assert_eq!(
            divider(None, i64::MAX, &Clock::utc(), Language::English),
            None
        );
    }
}
