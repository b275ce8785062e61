//! Which language the person reads.

/// The languages that there are texts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    English,
    Korean,
}

impl Language {
    /// The language of the environment, by POSIX's order: `LC_ALL`, then `LC_MESSAGES`, then `LANG`.
    pub(crate) fn of_environment() -> Language {
        Language::from_variables(|name| std::env::var(name).ok())
    }

    fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Language {
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"]
            .into_iter()
            .filter_map(variable)
            .find(|value| !value.is_empty())
            .unwrap_or_default();
        // "ko", "ko_KR.UTF-8" and "ko@…" are Korean; "kok_IN", Konkani, is not.
        let code = locale.split(['_', '.', '@', '-']).next();
        if code == Some("ko") {
            Language::Korean
        } else {
            Language::English
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Language {
        Language::from_variables(|name| {
            variables
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| value.to_string())
        })
    }

    #[test]
    fn korean_where_the_locale_says_so() {
        assert_eq!(of(&[("LANG", "ko_KR.UTF-8")]), Language::Korean);
        assert_eq!(of(&[("LANG", "ko")]), Language::Korean);
        assert_eq!(of(&[("LANG", "kok_IN")]), Language::English);
        assert_eq!(of(&[]), Language::English);
    }

    #[test]
    fn lc_all_stands_over_lang_and_empty_counts_as_unset() {
        assert_eq!(of(&[("LC_ALL", "C"), ("LANG", "ko_KR")]), Language::English);
        assert_eq!(of(&[("LC_ALL", ""), ("LANG", "ko_KR")]), Language::Korean);
    }
}
