"""The sizes in a sentence about a prompt that does not fit: the window, the prompt, the answer, and their sum.

They are found by what stands beside them, not by whole sentences: servers change their wording with every release.
What is left over is found by elimination: where one size is missing and one number is left, that is it, and of two
sizes of which nothing else is known the larger one is the prompt, or it would fit.  A number that was not told is never
made up.
"""

from __future__ import annotations

import re

import attrs

_GROUPED = re.compile(
    "(?<![\\w.,:/-])\\d{1,3}(?:(?P<by>[ ,._'\u2019\u00a0\u2009\u202f])\\d{3})(?:(?P=by)\\d{3}){0,3}(?![\\d.]\\d|[\\w'])"
)
# 131,072, 131 072, 131.072: a number whose thousands stand apart.
_SCALED = re.compile(r"(?<![\w.,/-])(\d{1,4}(?:\.\d{1,3})?) ?([kKM])(?![\w/])")
# 128k, 1M: a number in thousands or millions.
_SCALES = {"k": 1_000, "m": 1_000_000}

_N = r"(?P<n>\d{1,12})"
_NAMED = r"['\"`]?(?: is| of)? ?[=:(]{1,2} ?"
_SHORT = r"(?:(?!exceed|limit|max|only|id\b)[^.\d\n]){0,40}?"
_LIMITS = (
    rf"\d{{2,12}}(?: tokens?)? ?(?:>=?|(?:out )?of|/) ?{_N}(?!\d| ?-)",
    rf"{_N}(?: tokens?)?(?: is| are)? allowed",
    rf"context[ _](?:length|window|size|limit)(?: is| of|:|=)?(?: only)?(?: of)?[ (:=]{{1,3}}{_N}",
    rf"max_(?:model_len|total_tokens|seq_len|num_tokens|input_len|(?:input|prompt)_tokens|position_embeddings){_NAMED}{_N}",
    rf"max_(?:model_len|total_tokens|seq_len|num_tokens|input_len|position_embeddings) (?:is )?\(?{_N}",
    rf"(?:can ?not|not|to) exceed {_N}",
    rf"\d(?: tokens?)? exceeds? {_N}",
    rf"(?:prompt|input|model|sequence)[ _](?:length|window|size)(?: is| of|:|=)[ (]{{1,2}}{_N}",
    rf"\[\d{{1,9}}, ?{_N}\]",
    rf"{_N}(?: tokens?)? max(?:imum)?\b",
    rf"limit(?: of| is|:)? ?\(?{_N}",
    rf"max(?:imum)?\b(?:(?!by |[:;,] ?(?:the )?(?:input|prompt|got|request))[^.\d\n]){{0,50}}?\(?{_N}",
    rf"(?:less than(?: or equal to)?|<=|at most|up to|no more than|n_ctx['\":]{{0,2}}) [`'\"]?{_N}",
    rf"n_ctx{_NAMED}{_N}",
    rf"context (?:of|is) {_N}",
    rf"最大值?[为是:]? ?{_N}",
)
_OUTPUTS = (
    rf"{_N} `?(?:requested )?(?:output|completion|new|max_new)[ _]tokens(?!['\"]?[=:])",
    rf"{_N} (?:tokens )?(?:in|for|of) (?:the |your )?(?:completion|output|response)",
    rf"max_(?:completion_|output_|new_)?tokens['\"`]?(?: is too large| value)?[ :=(]{{1,3}}{_N}",
    rf"(?:completion|output)_tokens{_NAMED}{_N}",
    rf"but got {_N}(?! (?:prompt|input)?[ _]?tokens)",
)
_PROMPTS = (
    rf"resulted in (?:at least )?{_N}",
    rf"{_N} (?:tokens )?(?:in|from|of) (?:the |your )?(?:input )?(?:messages?|prompt|text input)",
    rf"{_N} `?(?:input|prompt)s?`?[ _]tokens(?!['\"]?[=:])",
    rf"(?:prompt|input)_tokens{_NAMED}{_N}",
    rf"(?:passed|given:|first|n_keep['\":]{{0,2}}) (?:at least )?{_N}",
    rf"(?:input|prompt) length (?:of )?\(?{_N}\)?(?: tokens)? exceeds",
    rf"(?:token count|number of (?:input )?tokens)(?: of| is|:)? ?\(?{_N}",
    rf"(?:sequence|prompt|input|current) length(?: is| of)? \(?{_N}",
    rf"\breceived {_N}",
    rf"{_N}(?: tokens?)? (?:>=?|exceeds?) \d",
    rf"\b(?:prompt|input|request|messages?)\b(?! ?(?:length|limit|window|size)){_SHORT}{_N}",
)
_TOTALS = (
    rf"requested:?(?: about| a total of)? {_N}",
    rf"total of (?:at least )?{_N}",
    rf"total (?:number of )?tokens?:? \(?{_N}",
)
_SUM = re.compile(r"(\d{1,12}) \+ (\d{1,12}) > (\d{1,12})")
_OVER = re.compile(r"\bby (?:at least |about )?(\d{1,12})\b", re.IGNORECASE)
_ROLES = {
    role: tuple(re.compile(pattern, re.IGNORECASE) for pattern in patterns)
    for role, patterns in {"limit": _LIMITS, "output": _OUTPUTS, "prompt": _PROMPTS, "total": _TOTALS}.items()
}
# In this order: a number that is one thing is not looked at as another.
_SIZE = re.compile(
    r"(?<![\w.#-])(?<!\d:)(?P<n>\d{2,9})(?!\d|[A-Za-z_%]|[:.-]\d| ?(?:ms|s|sec\w{0,4}|min\w{0,4}|hours?|"
    r"char\w{0,8}|bytes?|[kmg]i?b|messages|images?|tools?|files|items|times|percent|%)\b)",
    re.IGNORECASE,
)
_NO_SIZE = re.compile(r"\b(code|status|error|line|column|http|port|attempt|id|by|at pos\w{0,5})\W{0,3}$", re.IGNORECASE)
# What a number is called that is no size, in front of it.
_CALLED = 16
_STATUSES = range(400, 600)


@attrs.frozen
class Numbers:
    """The sizes that a sentence tells, in tokens; None where it tells none.

    Attributes:
        limit: what would fit.
        output: what is kept for the answer.
        prompt: the prompt alone.
        total: what was asked for, which may be the sum of both.
    """

    limit: int | None = None
    output: int | None = None
    prompt: int | None = None
    total: int | None = None


def numbers_in(sentence: str, asked: int | None = None) -> Numbers:
    """Find the sizes in a sentence.

    Args:
        sentence: it.
        asked: the answer's limit that was sent, which is no prompt's size.
    """
    sentence = _SCALED.sub(_scaled, _GROUPED.sub(_joined, sentence))
    if found := _SUM.search(sentence):
        prompt, output, limit = map(int, found.groups())
        return Numbers(limit, output, prompt)
    taken: set[int] = set()
    sizes: dict[str, int] = {}
    for role, patterns in _ROLES.items():
        matches = (
            found for pattern in patterns for found in pattern.finditer(sentence) if found.start("n") not in taken
        )
        if first := next(matches, None):
            taken.add(first.start("n"))
            sizes[role] = int(first["n"])
    return _completed(Numbers(**sizes), sentence, asked)


def _completed(found: Numbers, sentence: str, asked: int | None) -> Numbers:
    """Add the one or two sizes that are left over, if no other number could be meant."""
    if found.limit and found.prompt is None and found.total is None and (over := _OVER.search(sentence)):
        return attrs.evolve(found, prompt=found.limit + int(over[1]))
    known = {size for size in attrs.astuple(found) if size is not None}
    left = sorted({int(size["n"]) for size in _SIZE.finditer(sentence) if _is_size(size, sentence)} - known)
    if asked in left and found.output is None:
        left.remove(asked)
        found = attrs.evolve(found, output=asked)
    match left, found:
        case [size], Numbers(limit=int(), prompt=None, total=None):
            return attrs.evolve(found, prompt=size)
        case [size], Numbers(limit=None, prompt=int(prompt)) if size < prompt or found.output:
            return attrs.evolve(found, limit=size)
        case [lower, higher], Numbers(limit=None, prompt=None, total=None) if found.output is None:
            return Numbers(lower, None, higher)
        case [lower, higher], Numbers(limit=None, prompt=None, total=None):
            return attrs.evolve(found, limit=higher, prompt=lower)
        case _:
            return found


def _is_size(number: re.Match[str], sentence: str) -> bool:
    at = number.start("n")
    return not (_NO_SIZE.search(sentence[max(0, at - _CALLED) : at]) or (at == 0 and int(number["n"]) in _STATUSES))


def _joined(number: re.Match[str]) -> str:
    return re.sub(r"\D", "", number[0])


def _scaled(number: re.Match[str]) -> str:
    return str(round(float(number[1]) * _SCALES[number[2].lower()]))
