"""Find the sentences of the package that are too long, and the docstrings that do not begin with a verb.

``python tools/prose.py [PATH …]``. It looks at docstrings and at comments. Indented blocks are formulas or code, and
count as nothing. So do lists of arguments by their names: only the text behind a colon is read.
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "jaxopt_lite"
WORDS = 20
# The verbs that docstrings of functions begin with. Add one if it says in JAX's words what a caller gets.
VERBS = re.compile(
    r"(?:Adapt|Add|Apply|Average|Begin|Build|Call|Chain|Check|Climb|Clip|Combine|Compare|Convert|Cut|Describe|"
    r"Draw|Fall|Fill|Find|Flatten|Follow|Go|Hold|Lay|Leave|List|Load|Make|Move|Multiply|Print|Raise|Refuse|"
    r"Repeat|Replicate|Return|Rise|Rotate|Run|Scale|Search|Shorten|Shrink|Sort|Step|Subtract|Take|Train|"
    r"Undo|Walk|Write|Yield)\b"
)
SECTIONS = {"Args:", "Returns:", "Raises:", "Attributes:", "Yields:", "Example:", "Examples:"}


def docstrings(tree: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    """Yield each function, class or module that has a docstring, and its docstring."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and (doc := ast.get_docstring(node)):
            yield node, doc


def paragraphs(doc: str) -> Iterator[str]:
    """Yield the prose of a docstring, paragraph by paragraph, and each argument as one of its own."""
    found: list[str] = []
    section = False
    for line in [*doc.splitlines(), ""]:
        text = line.strip()
        indent = len(line) - len(line.lstrip())
        if text in SECTIONS:
            section, text = True, ""
        elif text and not indent:
            section = False
        entry = section and indent == 4 and re.match(r"[\w*, ]+: ", text)
        if not text or entry:
            if found:
                yield " ".join(found)
            found = []
        if text and (section or not indent) and not text.startswith((">>>", "...")):
            found.append(text.partition(": ")[2] if entry else text)


def comments(source: str) -> Iterator[tuple[int, str]]:
    """Yield each block of comments, and its first line."""
    block: list[str] = []
    first = last = 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT and "noqa" not in token.string and "type: ignore" not in token.string:
            if token.start[0] != last + 1 and block:
                yield first, " ".join(block)
                block = []
            first = first if block else token.start[0]
            last = token.start[0]
            block.append(token.string.lstrip("# "))
    if block:
        yield first, " ".join(block)


def sentences(text: str) -> Iterator[str]:
    """Yield the sentences of a paragraph; what stands in backticks or parentheses is one word."""
    text = re.sub(r"``[^`]*``|`[^`]*`|\([^()]*\)", "CODE", text)
    yield from re.split(r"(?<=[.;:!?])\s+", text)


def length(sentence: str) -> int:
    """Count the words of a sentence; signs are none."""
    return sum(bool(re.search(r"\w", word)) for word in sentence.split())


def long_sentences(source: str) -> Iterator[tuple[int, str]]:
    """Yield the line, and the words, of each sentence that is too long."""
    texts = [(node.body[0].lineno, p) for node, doc in docstrings(ast.parse(source)) for p in paragraphs(doc)]
    for line, text in [*texts, *comments(source)]:
        yield from ((line, sentence) for sentence in sentences(text) if length(sentence) > WORDS)


def nouns_first(source: str) -> Iterator[tuple[int, str]]:
    """Yield the docstrings of functions and classes that begin with no verb."""
    for node, doc in docstrings(ast.parse(source)):
        first = doc.splitlines()[0]
        if isinstance(node, ast.FunctionDef) and not VERBS.match(first):
            yield node.lineno, first


def main(paths: list[str]) -> int:
    """Print each finding with its place."""
    found = 0
    for path in map(Path, paths) if paths else sorted(PACKAGE.rglob("*.py")):
        source = path.read_text()
        for line, text in [*nouns_first(source), *long_sentences(source)]:
            print(f"{path}:{line}: {text}")
            found += 1
    print(f"{found} findings")
    return min(found, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
