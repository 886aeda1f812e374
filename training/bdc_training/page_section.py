"""Sections of Markdown pages that commands write."""

from pathlib import Path

from .file_replacement import replace_file


def write_page_section(page: Path, name: str, command: str, text: str) -> None:
    """Puts `text` into the page's section between comments with its name and the command that writes it.

    The section comes to the end of a page that lacks it; what else is on the page stays.

    @raises ValueError for a section without an end.
    """
    begin, end = f"<!-- {name}: written by {command} -->", f"<!-- end of {name} -->"
    section = f"{begin}\n\n{text}\n\n{end}"
    content = page.read_text() if page.exists() else ""
    before, found, rest = content.partition(begin)
    if found:
        _, closed, after = rest.partition(end)
        if not closed:
            raise ValueError(f"{page}: expected “{end}” after “{begin}”; put it there, or remove the section")
        content = f"{before}{section}{after}"
    else:
        content = f"{content.rstrip()}\n\n{section}\n".lstrip()
    replace_file(page, content.encode())
