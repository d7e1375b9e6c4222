//! A stand-in for the analysis of emotions: a list of words, and no model. It says so in what it finds.

use serde_json::{Value, json};

/// What a text says about the feelings of its writer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Feeling {
    /// One of the names of MasterX, or `neutral`.
    pub emotion: &'static str,
    pub intensity: f64,
    /// Pleasure, arousal, dominance.
    pad: [f64; 3],
}

impl Feeling {
    /// Looks for words. The emotion with the most of them counts, the first in the list among equals.
    pub fn of(text: &str) -> Self {
        let text = text.to_lowercase().replace('’', "'");
        let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric() && c != '\'').collect();
        let is_negated =
            |at: usize| words[at.saturating_sub(2)..at].iter().any(|word| *word == "not" || word.ends_with("n't"));
        let count = |listed: &[&str]| {
            let found = words.iter().enumerate().filter(|(at, word)| listed.contains(word) && !is_negated(*at));
            found.count()
        };
        let counts = LIST.iter().map(|(emotion, pad, listed)| (count(listed), *emotion, *pad));
        // The first of the highest.
        let most = counts.rev().max_by_key(|(count, ..)| *count).filter(|(count, ..)| *count > 0);
        let Some((count, emotion, pad)) = most else { return NEUTRAL };
        let emphasis = text.matches('!').count() + words.iter().filter(|word| STRONGER.contains(word)).count();
        let intensity = (0.5 + 0.1 * count as f64 + 0.1 * emphasis.min(3) as f64).min(1.0);
        Self { emotion, intensity, pad }
    }

    /// As `emotion_update` has it.
    pub fn to_json(self) -> Value {
        let [pleasure, arousal, dominance] = self.pad;
        let is_lost = matches!(self.emotion, "confusion" | "annoyance" | "nervousness");
        json!({
            "primary_emotion": self.emotion,
            "intensity": self.intensity,
            "pad_values": { "pleasure": pleasure, "arousal": arousal, "dominance": dominance },
            "learning_readiness": if pleasure > 0.4 { "high" } else if is_lost || pleasure < -0.4 { "low" } else { "moderate" },
            "cognitive_load": if is_lost { "high" } else { "moderate" },
            "source": "word list",
        })
    }
}

const NEUTRAL: Feeling = Feeling { emotion: "neutral", intensity: 0.2, pad: [0.0, 0.0, 0.0] };

const STRONGER: [&str; 6] = ["so", "very", "really", "extremely", "super", "totally"];

type Listed = (&'static str, [f64; 3], &'static [&'static str]);

const LIST: [Listed; 12] = [
    ("excitement", [0.7, 0.8, 0.4], &["excited", "exciting", "thrilled", "pumped", "wow", "awesome"]),
    ("joy", [0.8, 0.5, 0.4], &["happy", "glad", "joy", "fun", "great", "wonderful", "yay"]),
    ("gratitude", [0.6, 0.2, 0.1], &["thanks", "thank", "grateful", "appreciate"]),
    ("pride", [0.7, 0.4, 0.7], &["proud", "nailed", "solved"]),
    ("realization", [0.5, 0.4, 0.5], &["aha", "realise", "realize", "oh", "understand", "clear"]),
    ("curiosity", [0.4, 0.5, 0.2], &["curious", "wonder", "why", "how", "interesting"]),
    ("confusion", [-0.3, 0.3, -0.4], &["confused", "confusing", "unclear", "lost", "puzzled"]),
    ("annoyance", [-0.5, 0.5, -0.1], &["annoying", "annoyed", "frustrated", "frustrating", "stuck", "ugh"]),
    ("nervousness", [-0.4, 0.6, -0.5], &["nervous", "worried", "anxious", "afraid", "exam"]),
    ("disappointment", [-0.6, -0.2, -0.3], &["disappointed", "failed", "wrong", "pity"]),
    ("sadness", [-0.7, -0.4, -0.4], &["sad", "unhappy", "cry", "hopeless"]),
    ("anger", [-0.7, 0.8, 0.3], &["angry", "furious", "hate", "mad"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excitement_is_told_from_nothing_much_and_from_confusion() {
        let excited = Feeling::of("I'm so excited about this!");
        assert_eq!(excited.emotion, "excitement");
        assert!(excited.intensity > 0.7 && excited.intensity <= 1.0, "{excited:?}");
        assert!(Feeling::of("I am excited.").intensity < excited.intensity);
        assert_eq!(Feeling::of("The third exercise of chapter two."), NEUTRAL);
        assert_eq!(Feeling::of(""), NEUTRAL);
        assert_eq!(Feeling::of("This is CONFUSING, I am lost, why?").emotion, "confusion");
    }

    #[test]
    fn what_is_denied_does_not_count() {
        for text in ["I'm not excited", "I'm not very happy", "this isn't fun", "this isn’t fun"] {
            assert_eq!(Feeling::of(text), NEUTRAL, "{text}");
        }
    }

    #[test]
    fn everything_stays_within_its_range() {
        let shouted = Feeling::of(&"so excited!!! ".repeat(1000));
        assert!((0.0..=1.0).contains(&shouted.intensity));
        for (_, pad, words) in LIST {
            assert!(pad.iter().all(|value| (-1.0..=1.0).contains(value)));
            assert!(words.iter().all(|word| *word == word.to_lowercase()));
        }
    }
}
