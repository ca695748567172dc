"""A link from a page to a file of the repository: checked when the site is built, and shown there as the file's path.

On a repository's own pages such a relative link works as it stands; the built site has no such file. A link text in
backquotes names a function, which must be in the file.
"""

import logging
import re
from pathlib import Path

_LOG = logging.getLogger("mkdocs.links")
_REPOSITORY = Path(__file__).parents[1]
_LINK = re.compile(r"\[(`?)([^\]`]+)`?\]\((?:\.\./)+((?:src|tests|benchmarks|examples)/[^)]+)\)")


def on_page_markdown(markdown, page, **_):
    def shown(link):
        quoted, text, path = link.groups()
        file = _REPOSITORY / path
        if not file.is_file():
            _LOG.warning("%s links to %s, which is not there", page.file.src_uri, path)
        elif quoted and text != path and f"def {text}(" not in file.read_text("utf-8"):
            _LOG.warning("%s names %s, which is not in %s", page.file.src_uri, text, path)
        return f"`{path}`" if text == path else f"`{text}` in `{path}`"

    return _LINK.sub(shown, markdown)
