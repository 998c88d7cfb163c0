"""The Package form: archives that are built, found, named; what they are, and what has to be mended."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from podpac_lambda_widgets.errors import ArchiveCorruptError, ArchiveMismatchError, ArchiveTooLargeError
from podpac_lambda_widgets.packaging.archive import Archive, Package
from podpac_lambda_widgets.packaging.finding import FoundArchive, find_archives
from podpac_lambda_widgets.studio import Studio
from podpac_lambda_widgets.widgets.source_view import package_facts, problems_table

PAIR = (
    FoundArchive(Path("a/<b>/podpac_deps.zip"), 50 * 1024**2),
    FoundArchive(Path("a/<b>/podpac_dist.zip"), 80 * 1024**2),
    FoundArchive(Path("other.zip"), 1024**2),
)


def name_files(studio: Studio, front_end: Any) -> None:
    front_end.type(studio.source, "function_source_dist_zip", "x/podpac_dist.zip")
    front_end.type(studio.source, "function_source_dependencies_zip", "x/podpac_deps.zip")
    studio.wait(10)


def test_what_is_below_the_folder_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("dist/aws/podpac_dist.zip", "b.ZIP", "notes.txt", ".hidden/c.zip", "node_modules/d.zip"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"zip")
    (tmp_path / "round").symlink_to(tmp_path)
    (tmp_path / "gone.zip").symlink_to(tmp_path / "nothing")
    (tmp_path / "folder.zip").mkdir()
    locked, look = tmp_path / "locked" / "e.zip", Path.stat
    locked.parent.mkdir()
    locked.write_bytes(b"zip")

    def stat(path: Path, **how: Any) -> Any:
        if path == locked:
            raise PermissionError(13, "Permission denied")
        return look(path, **how)

    monkeypatch.setattr(Path, "stat", stat)
    found = find_archives(tmp_path)
    assert [(str(each.path), each.size) for each in found] == [("b.ZIP", 3), ("dist/aws/podpac_dist.zip", 3)]
    assert find_archives(tmp_path / "nowhere") == ()


def test_a_folder_that_is_chosen_fills_both_fields(studio: Studio, backend: Any, front_end: Any) -> None:
    backend.archives = PAIR
    studio.source.look_for_archives()
    studio.wait(10)
    assert studio.source.fields["found"]["choices"][1:] == [["a/<b>", "a/<b> · 80 MB + 50 MB"]]
    assert ["other.zip", "other.zip · 1 MB"] in studio.source.fields["function_source_dist_zip"]["choices"]
    front_end.type(studio.source, "function_source_bucket", "my-bucket")
    front_end.type(studio.source, "found", "a/<b>")
    studio.wait(10)
    source = studio.source.source
    assert source.function_source_dist_zip == "a/<b>/podpac_dist.zip"
    assert source.function_source_dependencies_zip == "a/<b>/podpac_deps.zip"
    assert source.function_source_bucket == ""
    assert studio.source.standing == "done"
    front_end.type(studio.source, "function_source_dist_zip", "other.zip")
    assert studio.source.fields["found"]["value"] == ""


def test_archives_that_are_named_are_looked_into(studio: Studio, front_end: Any) -> None:
    name_files(studio, front_end)
    assert studio.source.standing == "done"
    assert ["Code, extracted", "100 of 250 MB", 0.4] in studio.source.facts


def test_each_thing_to_mend_has_its_cure(studio: Studio, backend: Any, front_end: Any) -> None:
    backend.problems = (
        ArchiveMismatchError("For <i>another</i>", resource="x/podpac_dist.zip", why="No", next_step="Build it."),
        ArchiveTooLargeError("Too large", resource="x/podpac_deps.zip", next_step="Give it 700 MB."),
    )
    name_files(studio, front_end)
    assert (studio.source.standing, studio.source.note) == ("failed", "These archives cannot be used")
    assert studio.source.table["caption"].startswith("2 things to mend")
    assert [row["cells"] for row in studio.source.table["rows"]] == [
        ["! mend", "podpac_dist.zip", ["For <i>another</i>", "No"], "Build it."],
        ["! mend", "podpac_deps.zip", ["Too large"], "Give it 700 MB."],
    ]
    studio.source.build_archives()
    studio.wait(10)
    assert (studio.source.table, studio.source.standing) == ({}, "done")


def test_archives_that_cannot_be_opened_are_a_card(studio: Studio, backend: Any, front_end: Any) -> None:
    backend.errors["examine_archives"] = ArchiveCorruptError("It does not open", next_step="Build it again.")
    name_files(studio, front_end)
    assert studio.source.card["what"] == "It does not open"
    assert studio.source.standing == "failed"
    del backend.errors["examine_archives"]
    front_end.type(studio.source, "function_source_dist_zip", "y/podpac_dist.zip")
    studio.wait(10)
    assert (studio.source.card, studio.source.standing) == ({}, "done")


def test_objects_in_a_bucket_are_measured_once_there_is_a_way_to_them(studio: Studio, front_end: Any) -> None:
    for name, typed in (("bucket", "my-bucket"), ("dist_key", "a.zip"), ("dependencies_key", "b.zip")):
        front_end.type(studio.source, f"function_source_{name}", typed)
    studio.wait(10)
    assert (studio.source.facts, studio.source.note) == ([], "Archives from bucket my-bucket")
    studio.credentials.use_embedded_aws()
    studio.wait(10)
    assert studio.source.facts == [["Distribution", "81 MB in the bucket"]]


def test_a_build_leaves_a_log(ready: Studio) -> None:
    assert [line.partition(" s  ")[2] for line in ready.source.log] == ["Installing 30 packages", "Compressing"]


@pytest.mark.parametrize(
    ("megabytes", "said", "share"), [(100, "100 of 250 MB", 0.4), (300, "300 of 250 MB: too large", 1.2)]
)
def test_a_limit_is_a_bar_and_words(megabytes: int, said: str, share: float) -> None:
    archive = Archive(Path("x.zip"), "dist", "0" * 64, 60 * 1024**2, megabytes * 1024**2, None)
    facts = package_facts(Package(archive, archive), 1024)
    assert ["Code, extracted", said, share] in facts
    assert ["Distribution", "60 MB zipped, goes through the bucket"] in facts
    assert ["Dependencies in storage", f"{megabytes + 60} of 1,024 MB", (megabytes + 60) / 1024] in facts
    assert problems_table([]) == {}


@pytest.mark.archive
def test_real_archives_are_examined_for_what_they_were_built_for(package: Package) -> None:
    from podpac_lambda_widgets.model.deployment import Deployment
    from podpac_lambda_widgets.model.source import Source
    from podpac_lambda_widgets.studio.behind import Aws

    source = Source(
        function_source_dist_zip=package.dependencies.path, function_source_dependencies_zip=package.dist.path
    )
    seen = Aws().examine_archives(source, Deployment(function_runtime="python3.13", function_handler="other.handler"))
    assert [problem.what for problem in seen.problems][:2] == [
        "This is not a distribution archive.", "This is not a dependencies archive."
    ]  # fmt: skip
    assert len(seen.problems) > 4
    assert all(problem.next_step for problem in seen.problems)
