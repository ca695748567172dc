"""(x, y) -> Scores: what scores a pair."""
