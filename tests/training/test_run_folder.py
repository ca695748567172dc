"""Who may write into a folder; nothing that is not ours is ever removed."""

import pytest

from infomax.errors import InfomaxError, InputError
from infomax.training.run_folder import CHECKPOINT, LOG, claim, clear


def test_a_new_or_an_empty_folder_is_free(tmp_path):
    assert claim(tmp_path / "a" / "b", resume=False, overwrite=False).is_dir()
    assert claim(tmp_path / "a" / "b", resume=True, overwrite=False).is_dir()


def test_a_run_is_not_touched_unasked(tmp_path):
    (tmp_path / CHECKPOINT).write_text("precious")
    with pytest.raises(InputError, match=r"holds a run already.*resume.*overwrite"):
        claim(tmp_path, resume=False, overwrite=False)
    for asked in ({"resume": True, "overwrite": False}, {"resume": False, "overwrite": True}):
        assert claim(tmp_path, **asked) == tmp_path
    assert (tmp_path / CHECKPOINT).read_text() == "precious"
    with pytest.raises(InputError, match="choose one"):
        claim(tmp_path, resume=True, overwrite=True)


def test_a_folder_of_other_files_is_refused_even_to_overwrite(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(InputError, match=r"thesis\.tex"):
        claim(tmp_path, resume=False, overwrite=True)
    with pytest.raises(InputError, match="is a file"):
        claim(tmp_path / "thesis.tex", resume=False, overwrite=False)


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InfomaxError, match="could not be written"):
        claim(tmp_path / "file" / "below", resume=False, overwrite=False)


def test_clearing_removes_the_run_and_the_remains_of_killed_writers_only(tmp_path):
    (tmp_path / "model").mkdir()
    for name in ("model/weights", CHECKPOINT, LOG, ".checkpoint.safetensors.123.tmp", "notes.txt"):
        (tmp_path / name).write_text("x")
    clear(tmp_path, keep_run=True)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(["model", CHECKPOINT, LOG, "notes.txt"])
    clear(tmp_path, keep_run=False)
    assert [p.name for p in tmp_path.iterdir()] == ["notes.txt"]
