"""One short file a rival; each defines RIVAL."""
