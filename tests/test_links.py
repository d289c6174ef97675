"""Documents point at what is there: links in Markdown files, and the `docs/` paths that code cites."""

import re

from tests.tidy.source import ROOT

LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
CITED = re.compile(r"\bdocs/[\w./-]+\.md\b")
SUFFIXES = {".py", ".toml", ".js", ".md"}


def test_every_relative_link_in_a_document_leads_somewhere() -> None:
    documents = [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "dashboards").rglob("*.md"),
        *(ROOT / "deploy").rglob("*.md"),
        *(ROOT / "examples").rglob("*.md"),
    ]
    broken = [
        f"{document.relative_to(ROOT)}: {target}"
        for document in documents
        for target in LINK.findall(document.read_text(encoding="utf-8"))
        if "://" not in target and not (document.parent / target).exists()
    ]
    assert documents
    assert broken == []


def test_every_document_cited_in_code_is_in_the_repository() -> None:
    folders = ("wire", "ledger", "agent_probe", "collector", "sla_engine", "dashboards", "seatwatch", "examples")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in SUFFIXES]
    missing = {
        f"{path.relative_to(ROOT)}: {cited}"
        for path in files
        for cited in CITED.findall(path.read_text(encoding="utf-8"))
        if not (ROOT / cited).is_file()
    }
    assert missing == set()


def test_every_page_is_listed_in_the_index_of_its_folder() -> None:
    for folder in ("docs/operate", "docs/reference", "docs/adr"):
        index = set(LINK.findall((ROOT / folder / "README.md").read_text(encoding="utf-8")))
        pages = {page.name for page in (ROOT / folder).glob("*.md")} - {"README.md"}
        assert pages <= index, f"{folder}/README.md leaves out {', '.join(sorted(pages - index))}"
