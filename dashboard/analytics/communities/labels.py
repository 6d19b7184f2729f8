"""What to call a community: what its channels have in common more than the whole map has."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from dashboard.analytics.communities.content import GAMING, content_type, is_language_tag, language_name
from dashboard.analytics.communities.inputs import Channels, Ints
from dashboard.analytics.communities.model import FactKind, LabelFact
from dashboard.analytics.communities.params import MapParams

LEAST_TELLING: Final = 2
"""A label needs so many channels that tell their category or language."""
_LANGUAGE_SHARE: Final = 0.5
_TAG_LIFT: Final = 2.0
_FACTS_EACH: Final = 3


@dataclass(frozen=True, slots=True)
class Label:
    """A name with its reasons."""

    text: str
    evidence: tuple[LabelFact, ...]


def label_communities(channels: Channels, membership: Ints, params: MapParams) -> tuple[Label, ...]:
    """A name for each community, unique on the map, with the evidence it rests on.

    A category names a community when enough of its channels have it, and more of them than on the whole
    map; so does a language where it is not the one most channels of the map speak. Where two communities
    would get the same name, what sets them apart is added (language, content, a tag), and at last their
    largest channels; a community of which nothing is told is called by those alone.

    Args:
        channels: What is known of the channels.
        membership: The community of each; negative for isolates.
        params: ``label_share`` and ``label_lift``.
    """
    count = int(membership.max(initial=-1)) + 1
    by_size = np.lexsort((np.arange(len(channels)), -channels.chatters))
    members = [by_size[membership[by_size] == place].tolist() for place in range(count)]
    words = _words_of(channels)
    drafts = [_Draft(channels, words, own, params) for own in members]
    names = _unique(drafts)
    return tuple(Label(name, draft.evidence(name)) for name, draft in zip(names, drafts, strict=True))


class _Draft:
    """What can be said of one community, the shortest first."""

    def __init__(self, channels: Channels, words: _AllWords, members: list[int], params: MapParams) -> None:
        self._params = params
        self.largest = [channels.names[place] or channels.logins[place] for place in members[:4]]
        self.games = _facts("game", words["game"], members)
        self.languages = _facts("language", words["language"], members)
        self.contents = _facts("content", words["content"], members)
        self.tags = _facts("tag", words["tag"], members)
        spoken = words["language"].everywhere.most_common(1)
        self._usual_language = spoken[0][0] if spoken else ""

    def candidates(self) -> list[str]:
        """Names from the shortest to the one that says most; at least one."""
        game, second = self._game(), self._second_game()
        language, spoken = self._language(is_any=False), self._language(is_any=True)
        extra = self._extra(game)
        what = game or self._content() or ""
        names = []
        if what:
            generic = content_type(game) not in ("", GAMING) if game else False
            plain = what if not language else f"{what} ({language})"
            full = what if not spoken else f"{what} ({spoken})"
            names += [f"{plain} · {extra}"] if generic and extra else []
            names += [plain, full]
            names += [f"{full} · {extra}"] if extra else []
            names += [f"{full} · {second}"] if second else []
        elif language:
            names += [f"{language}-speaking"] + ([f"{language}-speaking · {extra}"] if extra else [])
        stem = names[-1] if names else ""
        for size in (2, 3, 4):
            around = ", ".join(self.largest[:size])
            names.append(f"{stem} · around {around}" if stem else f"around {around}")
        return names

    def evidence(self, name: str) -> tuple[LabelFact, ...]:
        """The reasons, strongest first, with those that are part of the name marked."""
        facts = [*self.games[:_FACTS_EACH], *self.languages[:2], *self.contents[:2], *self.tags[:_FACTS_EACH]]
        words = name.casefold()
        marked = [replace(fact, is_in_label=fact.value.casefold() in words) for fact in facts]
        if "around " in name or not marked:
            unknown = float("nan")
            largest = ", ".join(self.largest[:3])
            marked.append(LabelFact("largest", largest, unknown, unknown, unknown, 0, "around " in name))
        return tuple(marked)

    def _stands_out(self, fact: LabelFact, share: float) -> bool:
        enough = fact.share >= share and fact.n_channels >= LEAST_TELLING
        return enough and (fact.lift >= self._params.label_lift or fact.share >= 0.8)

    def _game(self) -> str:
        return next((f.value for f in self.games if self._stands_out(f, self._params.label_share)), "")

    def _second_game(self) -> str:
        first = self._game()
        share = self._params.label_share / 2
        return next((f.value for f in self.games if f.value != first and self._stands_out(f, share)), "")

    def _language(self, *, is_any: bool) -> str:
        for fact in self.languages[:1]:
            enough = fact.share >= _LANGUAGE_SHARE and fact.n_channels >= LEAST_TELLING
            if enough and (is_any or fact.value != self._usual_language):
                return fact.value
        return ""

    def _content(self) -> str:
        for fact in self.contents[:1]:
            if fact.value != GAMING and self._stands_out(fact, self._params.label_share):
                return fact.value.capitalize()
        return ""

    def _extra(self, game: str) -> str:
        """A tag, or another content type, that is far more frequent here than elsewhere."""
        for fact in self.tags:
            if fact.lift >= _TAG_LIFT and self._stands_out(fact, self._params.label_share / 2):
                return fact.value
        own = content_type(game)
        for fact in self.contents:
            apart = fact.value not in (own, GAMING) and fact.lift >= _TAG_LIFT
            if apart and self._stands_out(fact, self._params.label_share / 2):
                return fact.value
        return ""


@dataclass(frozen=True, slots=True)
class _Words:
    """What each channel tells of one kind, and how frequent that is on the whole map."""

    own: list[set[str]]
    everywhere: Counter[str]
    telling: int
    """Channels that tell anything."""


_AllWords = dict[FactKind, _Words]


def _words_of(channels: Channels) -> _AllWords:
    return {
        "game": _counted([{game} for game in channels.games]),
        "language": _counted([{language_name(language)} for language in channels.languages]),
        "content": _counted([{content_type(game)} for game in channels.games]),
        "tag": _counted([{tag for tag in tags if not is_language_tag(tag)} for tags in channels.tags]),
    }


def _counted(own: list[set[str]]) -> _Words:
    everywhere: Counter[str] = Counter()
    for words in own:
        words.discard("")
        everywhere.update(words)
    return _Words(own, everywhere, sum(1 for words in own if words))


def _facts(kind: FactKind, words: _Words, members: list[int]) -> list[LabelFact]:
    """How frequent each word is here and on the whole map; the most frequent here first."""
    here = _counted([words.own[place] for place in members])
    facts = []
    for value, n_channels in here.everywhere.items():
        share, platform = n_channels / here.telling, words.everywhere[value] / words.telling
        facts.append(LabelFact(kind, value, share, platform, share / platform, n_channels, False))
    return sorted(facts, key=lambda fact: (-fact.n_channels, -fact.lift, fact.value))


def _unique(drafts: list[_Draft]) -> list[str]:
    """Each community's shortest name that no other has; larger communities choose first among equals."""
    choices = [list(dict.fromkeys(draft.candidates())) for draft in drafts]
    level = [0] * len(choices)
    for _ in range(max((len(names) for names in choices), default=0)):
        now = [names[place].casefold() for names, place in zip(choices, level, strict=True)]
        common = Counter(now)
        again = [n for n, word in enumerate(now) if common[word] > 1 and level[n] + 1 < len(choices[n])]
        if not again:
            break
        for n in again:
            level[n] += 1
    return _numbered([names[place] for names, place in zip(choices, level, strict=True)])


def _numbered(names: list[str]) -> list[str]:
    """The last resort: a number behind a name that is taken."""
    taken: set[str] = set()
    unique = []
    for name in names:
        tried, number = name, 1
        while tried.casefold() in taken:
            number += 1
            tried = f"{name} {number}"
        taken.add(tried.casefold())
        unique.append(tried)
    return unique


def with_given_names(own: list[str], given: list[str]) -> list[str]:
    """What is shown: the name somebody gave, else the community's own, a number set where two are equal.

    Args:
        own: The label of each community.
        given: The name somebody gave it, "" where nobody did; these come first.
    """
    order = sorted(range(len(own)), key=lambda place: not given[place])
    shown = _numbered([given[place] or own[place] for place in order])
    return [shown[order.index(place)] for place in range(len(own))]
