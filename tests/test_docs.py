"""The documentation names everything there is, and nothing that is not: settings, commands, importers, pages, links, paths."""

from __future__ import annotations

import importlib.util
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote

import click
import pytest

from importers.registry import IMPORTERS
from lims.app import create_app
from lims.cli import main
from lims.config import Settings
from lims.domain.vocabulary import MEASUREMENT_KINDS

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
MADE = {"importers/lesion_volumes.py", "tests/importers/test_lesion_volumes.py"}
"""What `docs/add-an-importer.md` makes: no files of the repository."""

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"`([^`\n]+)`")
_PATH = re.compile(r"(?:[\w.-]+/)+[\w.-]*\Z|[\w-]+\.(?:py|md|toml)\Z")
_TARGET = re.compile(r"^([a-z]+):.*## ", re.MULTILINE)
_LIMS = re.compile(r"(?:^|\s)(?:\.venv/bin/)?lims(\s.*)?$")

page = pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))


def text_of(name: str) -> str:
    """Read a file of the repository."""
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(text: str, *languages: str) -> list[str]:
    """Give the code blocks of a page in one of the languages."""
    return [body for language, body in _FENCE.findall(text) if language in languages]


def prose(text: str) -> str:
    """Give a page without its code blocks."""
    return _FENCE.sub("", text)


def shown_commands(text: str) -> list[str]:
    """Give every `lims …` of a page, from its shell blocks and its prose, as one would type it."""
    lines = [line for body in blocks(text, "sh") for line in body.replace("\\\n", " ").splitlines()]
    found = [match[1] or "" for line in lines if (match := _LIMS.search(line.split(" #")[0]))]
    return found + [code[4:].replace("\\|", "|") for code in _CODE.findall(prose(text)) if code.startswith("lims ")]


def walk(command: click.Command, context: click.Context, path: str) -> Iterator[tuple[str, click.Command]]:
    """Give every command below a group, with its full name."""
    if not isinstance(command, click.Group):
        yield path, command
        return
    for name in command.list_commands(context):
        below = command.get_command(context, name)
        assert below is not None
        yield from walk(below, context, f"{path} {name}")


def commands() -> list[tuple[str, click.Command]]:
    """Give every command of `lims`."""
    return list(walk(main, click.Context(main), "lims"))


def anchors(path: Path) -> set[str]:
    """Give the anchors of a page's headings, as Markdown renderers make them."""
    headings = re.findall(r"^#+ (.+)$", prose(path.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def settle(typed: str) -> None:
    """Go through a typed command word by word; raises `click.UsageError` for a command or option that does not exist."""
    words = shlex.split(typed)
    command: click.Command = main
    context = click.Context(main, info_name="lims")
    while isinstance(command, click.Group):
        _, rest, _ = command.make_parser(context).parse_args(list(words))
        if not rest:
            return
        name, below = rest[0], command.get_command(context, rest[0])
        if below is None:
            raise click.UsageError(f"No such command {name!r}.")
        command, words = below, rest[1:]
        context = click.Context(command, parent=context, info_name=name)
    command.make_parser(context).parse_args(words)


@pytest.mark.parametrize("name", ["docs/reference.md", "docs/run-for-a-lab.md"])
def test_every_setting_is_told(name: str) -> None:
    told = text_of(name)
    assert [field for field in Settings.model_fields if f"`LIMS_{field.upper()}`" not in told] == []


def test_every_setting_that_is_told_exists() -> None:
    own = {f"LIMS_{field.upper()}" for field in Settings.model_fields}
    elsewhere = {"LIMS_NEW_PASSWORD", "LIMS_PYTHON"}
    told = {name for path in PAGES for name in re.findall(r"\bLIMS_[A-Z_]+\b", path.read_text(encoding="utf-8"))}
    assert told - own - elsewhere == set()


def test_every_command_and_option_is_told() -> None:
    reference = text_of("docs/reference.md")
    missing = [path for path, _ in commands() if f"`{path}" not in reference]
    for path, command in commands():
        options = [option.opts[0] for option in command.params if isinstance(option, click.Option)]
        longest = [max(option.opts, key=len) for option in command.params if isinstance(option, click.Option)]
        row = next((line for line in reference.splitlines() if line.startswith(f"| `{path}")), "")
        of_import = reference if path == "lims import" else ""
        missing += [f"{path} {name}" for name, _ in zip(longest, options, strict=True) if name not in row + of_import]
    assert missing == []


@page
def test_commands_that_are_shown_exist_with_their_options(page: Path) -> None:
    wrong = []
    for typed in shown_commands(page.read_text(encoding="utf-8")):
        try:
            settle(typed)
        except click.UsageError as problem:
            wrong.append(f"lims{typed}: {problem.format_message()}")
    assert wrong == []


def test_a_command_or_option_that_does_not_exist_is_noticed() -> None:
    settle(" --data DIR audit export --format csv -o FILE")
    for wrong in (" imprt FILE", " import FILE --comit", " audit verify --fast", " audit undo"):
        with pytest.raises(click.UsageError):
            settle(wrong)


def test_every_importer_and_kind_is_told() -> None:
    reference = text_of("docs/reference.md")
    keys = [*(importer.key for importer in IMPORTERS), *(kind.code for kind in MEASUREMENT_KINDS)]
    assert [key for key in keys if f"| `{key}` |" not in reference] == []


def test_every_page_is_told(settings: Settings) -> None:
    reference = text_of("docs/reference.md")
    rules = {re.sub(r"<\w+:", "<", rule.rule) for rule in create_app(settings).url_map.iter_rules()}
    assert sorted(rule for rule in rules if "static" not in rule and f"`{rule}`" not in reference) == []


def test_every_page_that_is_told_exists(settings: Settings) -> None:
    rules = {re.sub(r"<\w+:", "<", rule.rule) for rule in create_app(settings).url_map.iter_rules()}
    told = set(re.findall(r"`(/[^`]*)`", text_of("docs/reference.md").partition("## Pages")[2]))
    assert sorted(told - rules) == []


def test_every_make_target_is_told() -> None:
    told = text_of("README.md") + text_of("CONTRIBUTING.md")
    targets = set(_TARGET.findall(text_of("Makefile"))) - {"help"}
    assert targets
    assert sorted(target for target in targets if f"make {target}" not in told) == []


@page
def test_make_targets_that_are_shown_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", text_of("Makefile"), re.MULTILINE))
    lines = [line for body in blocks(text, "sh") for line in body.splitlines()] + _CODE.findall(prose(text))
    shown = {match[1] for line in lines if (match := re.match(r"make ([a-z]+)", line))}
    assert sorted(shown - targets) == []


@page
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for link in _LINK.findall(prose(page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", link):
            continue
        file, _, anchor = unquote(link).partition("#")
        target = (page.parent / file) if file else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


@page
def test_files_that_are_named_exist(page: Path) -> None:
    """A path that begins with a folder of the repository leads somewhere in it, and so does the bare name of a source file."""
    known = (ROOT, ROOT / "lims" / "audit" / "standalone")
    missing = []
    for name in sorted(set(_CODE.findall(prose(page.read_text(encoding="utf-8")))) - MADE):
        ours = "/" not in name or (ROOT / name.partition("/")[0]).is_dir()
        if _PATH.match(name) and ours and not any((folder / name).exists() for folder in known):
            missing.append(name)
    assert missing == []


def test_pictures_are_small() -> None:
    pictures = list((ROOT / "docs" / "images").glob("*.png"))
    assert pictures
    assert [picture.name for picture in pictures if picture.stat().st_size > 250_000] == []


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[ModuleType, ModuleType]]:
    """Give the importer and the test that `docs/add-an-importer.md` shows, loaded as the page says."""
    text = text_of("docs/add-an-importer.md")
    whole = [body for body in blocks(text, "python") if body.startswith('"""')]
    loaded = []
    for name, body in zip(("importers.lesion_volumes", "example_test"), whole, strict=True):
        file = tmp_path / f"{name}.py"
        file.write_text(body, encoding="utf-8")
        spec = importlib.util.spec_from_file_location(name, file)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, name, module)
        spec.loader.exec_module(module)
        loaded.append(module)
    importer, test = loaded
    yield importer, test


def test_the_example_of_an_importer_works(example: tuple[ModuleType, ModuleType]) -> None:
    importer, test = example
    assert test.LESIONS.strip() in text_of("docs/add-an-importer.md")

    test.test_each_lesion_is_a_reading_of_its_own_tumour()
    test.test_a_unit_that_the_header_leaves_out_is_asked()
    for mark in test.test_what_cannot_be_read_is_an_error_in_its_place.pytestmark:
        for before, after, code in mark.args[1]:
            test.test_what_cannot_be_read_is_an_error_in_its_place(before, after, code)

    book = test.text_book(test.LESIONS, "lesions.csv")
    assert [one.key for one in (*IMPORTERS, importer.IMPORTER) if one.claim(book) is not None] == ["lesion_volumes"]
