"""The documents hang together: links lead somewhere, languages agree, decisions stay short."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/**/*.md")])
DECISIONS = sorted(ROOT.glob("docs/decisions/*.md"))
LINK = re.compile(r"\]\(([^)\s]+)\)")


def prose(page: Path) -> str:
    """The text of a page without its code blocks."""
    return re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)


def anchors(page: Path) -> set[str]:
    """What one may link to in a page: its headings, as the usual viewers name them."""
    headings = re.findall(r"^#+ (.+)$", prose(page), flags=re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("document", PAGES, ids=relative)
def test_links_within_the_project_lead_somewhere(document: Path) -> None:
    for link in LINK.findall(prose(document)):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (document.parent / name).resolve() if name else document
        assert target.exists(), f"{link} leads nowhere"
        assert target.is_relative_to(ROOT), f"{link} leaves the project"
        if anchor:
            assert anchor in anchors(target), f"{link}: no such heading"


def test_both_readmes_have_the_same_parts() -> None:
    def shape(name: str) -> tuple[list[str], list[str], set[str]]:
        page = ROOT / name
        # a page or picture that exists in both languages is linked in the reader's
        links = {
            link.replace(".zh.md", ".md").replace("-zh.png", "-en.png")
            for link in LINK.findall(prose(page))
            if not link.startswith("README")
        }
        code = re.findall(r"^```.*?^```", page.read_text(encoding="utf-8"), flags=re.M | re.S)
        return re.findall(r"^(#+) ", prose(page), flags=re.M), code, links

    assert shape("README.md") == shape("README.zh.md")


@pytest.mark.parametrize("document", DECISIONS, ids=relative)
def test_a_decision_is_numbered_short_and_complete(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    assert re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", document.name)
    assert text.startswith(f"# {int(document.name[:4])} · ")
    assert re.findall(r"^## (.+)$", text, flags=re.M) == ["Context", "Decision", "Consequences"]
    assert len(text.splitlines()) <= 60


def test_decisions_are_numbered_without_gaps() -> None:
    assert [int(page.name[:4]) for page in DECISIONS] == list(range(1, len(DECISIONS) + 1))
