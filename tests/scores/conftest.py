import pytest

from infomax.scores import streamed_scores, tiles


@pytest.fixture
def many_tiles(monkeypatch):
    """Tiles so small that a small problem needs many, the last ones ragged."""
    monkeypatch.setattr(tiles, "CPU_TILE", (8, 9))
    monkeypatch.setattr(tiles, "CPU_BLOCK_BYTES", 16 * 8 * 9)
    monkeypatch.setattr(streamed_scores, "NARROW", 0)


@pytest.fixture
def always_shifted(monkeypatch):
    """Running maxima from the first score on, as large scores need."""
    monkeypatch.setattr(tiles, "UNSHIFTED_BITS", 0.0)


@pytest.fixture(params=["auto", "dense", "one tile", "many tiles", "many tiles, shifted", "many tiles, cached"])
def scores(request):
    """Problem -> Scores, along every path."""
    path = request.param
    if "many tiles" in path:
        request.getfixturevalue("many_tiles")
    if "shifted" in path:
        request.getfixturevalue("always_shifted")
    backend = path if path in ("auto", "dense") else "streamed"
    cache = None if path == "auto" else (1 << 30) if "cached" in path else 0
    return lambda problem: problem.scores(backend, cache=cache)
