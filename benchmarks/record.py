"""docs/performance.md keeps the last run of each part, as `make bench` wrote it there; all else in it is for people."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

HEADING = "## The last run of each part"
_INTRODUCTION = "Written by `make bench`, part by part; single runs on machines that others may have used too."
Table = tuple[str, Sequence[str], Sequence[Sequence[str]]]


def markdown(table: Table) -> str:
    """A table as Markdown, under its title."""
    title, head, rows = table
    lines = [head, ["---"] * len(head), *rows]
    return f"{title}:\n\n" + "\n".join(f"| {' | '.join(cell or ' ' for cell in line)} |" for line in lines)


def sentence(about: Mapping[str, str]) -> str:
    """How, when and where a part was measured."""
    day = about["date"].partition("T")[0]
    return (
        f"`{about['command']}`, {day}, {about['machine']}, load {about['load']} before it began, "
        f"commit {about['commit']}."
    )


def keep(path: Path, part: str, circumstances: str, tables: Sequence[Table]) -> None:
    """Puts a part's tables in the place of those that its last run left."""
    begin, end = f"<!-- make bench: {part} -->", "<!-- end -->"
    body = "\n\n".join([f"### {part}", circumstances, *(markdown(table) for table in tables)])
    block = f"{begin}\n{body}\n{end}"
    text = path.read_text("utf-8")
    old = re.compile(rf"{re.escape(begin)}.*?{re.escape(end)}", re.S)
    if old.search(text):
        text = old.sub(lambda _: block, text, count=1)
    else:
        if HEADING not in text:
            text = f"{text.rstrip()}\n\n{HEADING}\n\n{_INTRODUCTION}\n"
        place = text.index(HEADING)
        following = text.find("\n## ", place + len(HEADING))
        place = len(text) if following < 0 else following
        text = f"{text[:place].rstrip()}\n\n{block}\n{text[place:]}"
    path.write_text(text, "utf-8")
