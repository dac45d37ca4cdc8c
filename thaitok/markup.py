"""HTML in a text: entities become characters, tags of known elements go, all else stays."""

from __future__ import annotations

import html
import re

ENTITY = re.compile("&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
"""An HTML entity with its semicolon: without one, `?a=1&copy=2` in an address would change."""


def _names(words: str) -> frozenset[str]:
    return frozenset(words.split())


BLOCKS = _names(
    "article aside blockquote body br caption center dd details dir div dl dt fieldset figcaption"
    " figure footer form h1 h2 h3 h4 h5 h6 head header hr html legend li main nav ol p pre section"
    " summary table tbody tfoot thead tr ul address option title"
)
"""Elements that begin or end a line."""
CELLS = frozenset(("td", "th"))
"""Elements parted by a space."""
INLINE = _names(
    "a abbr acronym area audio b bdi bdo big button cite code col colgroup del dfn em embed font i"
    " iframe img input ins kbd label link map mark meta nobr noscript o:p object param picture q"
    " samp script select small source span strike strong style sub sup svg textarea time track tt"
    " u var video wbr"
)
"""Elements that leave nothing. `s` is not among them: `<s>` is also a model's special token."""
PLACEHOLDERS = _names(
    "a address area audio b body button code details footer form head header i input label link"
    " main map meta object option param q section select source style summary table time title"
    " track u var video script"
)
"""Names that documentation also writes for something to fill in ("use <table>", `List<a>`).

Without attributes they are taken for tags only where the text has the closing tag as well."""
FLAGS = _names(
    "allowfullscreen async autofocus autoplay checked compact controls defer disabled hidden loop"
    " multiple muted noshade novalidate nowrap readonly required reversed selected"
)
"""Attributes that stand without a value."""

TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9:]{0,10})((?:\s[^<>]*)?)/?>")
_ATTRIBUTES = re.compile(
    r"(?:\s+[A-Za-z_:@*][\w:.@-]*(?:\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s\"'=]+))?)+\s*/?"
)
_DECLARATION = re.compile(
    r"<!(?:doctype|DOCTYPE)[^<>]*>|<!\[(?:end)?if[^<>]*\](?:--)?>|<\?xml[^<>]*\?>"
)
_CODE = re.compile(r"<(script|style)(?:\s[^<>]*)?>", re.IGNORECASE)
_THAI_LETTERS = re.compile("[ก-๎]")


def replace_entities(text: str) -> str:
    """Write HTML entities as the characters they stand for, one level of them."""
    return ENTITY.sub(lambda entity: html.unescape(entity[0]), text) if "&" in text else text


def drop_markup(text: str) -> str:
    """Take out comments, scripts, styles and the tags of HTML elements.

    A block's tag becomes a line break, a table cell's a space, any other nothing. What only
    looks like a tag stays: `a < b`, `List<T>`, `<mask>`, `<value>`, an address in brackets.
    """
    if "<" not in text or ">" not in text:
        return text
    if "<!" in text or "<?" in text:
        text = _DECLARATION.sub("", _drop_comments(text))
    text = _drop_code(text)
    closed = {name.lower() for name in re.findall(r"</([A-Za-z][A-Za-z0-9:]{0,10})\s*>", text)}

    def written(tag: re.Match[str]) -> str:
        name = tag[2].lower()
        if name in BLOCKS:
            instead = "\n"
        elif name in CELLS:
            instead = " "
        elif name in INLINE:
            instead = ""
        else:
            return tag[0]
        return instead if tag[1] or _is_tag(tag, name in closed) else tag[0]

    return TAG.sub(written, text)


def _is_tag(tag: re.Match[str], closed: bool) -> bool:
    """Tell an opening tag from code and placeholders that look like one."""
    inside, name = tag[3].strip(" \t\r\n/"), tag[2].lower()
    if inside:
        flags = frozenset(inside.lower().split())
        return flags <= FLAGS or ("=" in inside and bool(_ATTRIBUTES.fullmatch(tag[3])))
    if name in PLACEHOLDERS:
        return closed or tag[0].endswith("/>")
    before = tag.string[tag.start() - 1 : tag.start()]
    glued = before.isascii() and before.isalnum()
    return closed or len(name) > 1 or not glued  # Foo<P>


def _drop_comments(text: str) -> str:
    kept, done = [], 0
    while (start := text.find("<!--", done)) >= 0:
        end = text.find("-->", start + 4)
        if end < 0:  # never closed: nothing after it is either
            break
        kept.append(text[done:start])
        done = end + 3
    return "".join((*kept, text[done:])) if done else text


def _drop_code(text: str) -> str:
    """Take out scripts and styles with what they hold, unless that is Thai prose."""
    kept, done, unclosed = [], 0, set[str]()
    for opening in _CODE.finditer(text):
        name = opening[1].lower()
        if opening.start() < done or name in unclosed:
            continue
        closing = re.compile(f"</{name}\\s*>", re.IGNORECASE).search(text, opening.end())
        if closing is None:
            unclosed.add(name)  # looked for once: text full of <script> would take square time
            continue
        inside = text[opening.end() : closing.start()]
        if len(_THAI_LETTERS.findall(inside)) * 4 > len(inside):
            continue
        kept.append(text[done : opening.start()])
        done = closing.end()
    return "".join((*kept, text[done:])) if done else text
