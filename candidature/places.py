"""Which commune or EPCI a person means, however the name is written."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

from rapidfuzz import fuzz, process

from knowledge.places import Commune, Departement, Epci, Places

CLOSE = 80
"""How alike (0 to 100) a misspelt name and a real one are at least."""
SAME = 90
"""How alike a name and a complete one are at least, where other names have it as a part."""
AS_CLOSE = 5
"""Names that are less alike than the best by more than this are not meant."""
SHORTEST_BEGINNING = 6
"""Letters that the beginning of a name has at least to be known by it."""
MOST_OFFERED = 4
"""Communes among which one asks, at most."""
SHORT = 5
"""Words of an answer that may be a name, misspelt or incomplete, and nothing else."""

Place = TypeVar("Place")

_SHORTENED = {"st": "saint", "ste": "sainte", "s": "sur", "cc": "communaute de communes"}


@dataclass(frozen=True)
class Found:
    """The places that an answer may mean, likeliest first.

    One commune or EPCI and nothing else: it is that. Several: one has to ask.
    `elsewhere` are the other départements with a commune of that very name.
    """

    communes: tuple[Commune, ...] = ()
    epcis: tuple[Epci, ...] = ()
    elsewhere: tuple[Departement, ...] = ()
    name: str = ""
    """Of the commune elsewhere, or of the place that is not of the list asked for."""
    code: str = ""
    """Of the latter."""

    def among(self, places: str) -> "Found":
        """Return those of a list (`communes` or `epcis`), or all if none of them is in it."""
        if places == "communes" and self.communes:
            return replace(self, epcis=())
        if places == "epcis" and self.epcis:
            return replace(self, communes=())
        return self

    @property
    def sure(self) -> Commune | Epci | None:
        """The one place meant, if there is no doubt."""
        meant: tuple[Commune | Epci, ...] = (*self.communes, *self.epcis)
        return meant[0] if len(meant) == 1 else None


def words(text: str) -> list[str]:
    """Return the words of a name, as all its spellings have them.

    >>> words("St-Épain"), words("La Ville-aux-Dames")
    (['saint', 'epain'], ['la', 'ville', 'aux', 'dames'])
    """
    ligatures = text.replace("œ", "oe").replace("Œ", "Oe")
    plain = "".join(
        character
        for character in unicodedata.normalize("NFKD", ligatures.lower())
        if not unicodedata.combining(character)
    )
    found = re.findall(r"[a-z0-9]+", plain)
    return [word for one in found for word in _SHORTENED.get(one, one).split()]


# What people put before a name.
_BEFORE = frozenset(
    words(
        """commune communes mairie ville village bourg maire adjoint adjointe secrétaire élu élue
        la le les l de du des d a au en nous sommes on est c je suis pour ma notre près côté chez
        habite habitons ici et oui bonjour"""
    )
)
_INTRODUCES = frozenset(words("commune mairie maire ville village bourg à de d"))
_GROUP = frozenset(
    words("communauté communautés comcom métropole interco intercommunalité EPCI agglo")
    + words("agglomération")
)
# Those that a name follows; « Tours Métropole » begins with the name.
_BEGINS = _GROUP - {"metropole"}
# Words that tell one EPCI's name from no other's.
_GENERIC = frozenset(words("communauté communes de du d l la le et autour"))


class Finder:
    """Finds places in what people write."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self._communes = {tuple(words(one.name)): one for one in places.communes.values()}
        self._epcis = {tuple(words(one.name)): one for one in places.epcis.values()}

    def find(self, text: str) -> Found:
        """Return the places that `text` may mean: exactly, in part, elsewhere, or misspelt."""
        said = words(text)
        if _GROUP.intersection(said) and (group := self._group(said)):
            # « Loches, de la communauté Loches Sud Touraine »: a commune stands before.
            begins = next((place for place, word in enumerate(said) if word in _BEGINS), 0)
            return Found(self._named(text, said[:begins]).communes, group)
        named = self._named(text, said)
        if named.communes or named.epcis:
            return named
        bare = self._bare(said)
        if not bare or len(bare) > SHORT:
            return Found()
        partial = [commune for name, commune in self._communes.items() if _within(bare, name)]
        if partial:
            same = (one for one in self._close(bare, SAME) if one not in partial)
            return Found(communes=(*same, *partial))
        name, elsewhere = self._elsewhere.get(
            tuple(bare), self._elsewhere.get(tuple(said), ("", ()))
        )
        close = () if elsewhere else self._close(bare, CLOSE) or self._close(said, CLOSE)
        return Found(
            communes=close or (() if elsewhere else self._beginning(bare)),
            elsewhere=tuple(self.places.departements[code] for code in elsewhere),
            name=name,
        )

    def _named(self, text: str, said: list[str]) -> Found:
        """Return the places whose whole name stands in the text, the longest names first."""
        communes: list[Commune] = []
        epcis: list[Epci] = []
        taken: set[int] = set()
        capitals = {words(word)[0] for word in re.findall(r"\b[A-ZÀ-Ý]\w+", text) if words(word)}
        alone = len(self._bare(said)) == 1
        for name, place in self._longest_first:
            for start in _places_of(name, said):
                if taken.intersection(range(start, start + len(name))):
                    continue
                # « hommes », « tours » and « monts » are words, too.
                introduced = start > 0 and said[start - 1] in _INTRODUCES
                if len(name) > 1 or alone or introduced or name[0] in capitals:
                    taken.update(range(start, start + len(name)))
                    if isinstance(place, Commune):
                        communes.append(place)
                    else:
                        epcis.append(place)
                    break
        return Found(tuple(communes), tuple(epcis))

    def _bare(self, said: Sequence[str]) -> list[str]:
        """Return the words from the first that may begin a name on."""
        for place, word in enumerate(said):
            if word not in _BEFORE:
                # An article belongs to the name that it begins.
                article = place > 0 and said[place - 1] in ("la", "le", "les", "l")
                name = tuple(said[place - 1 :])
                begins = article and any(one[: len(name)] == name for one in self._communes)
                return list(name if begins else said[place:])
        return []

    def _group(self, said: Sequence[str]) -> tuple[Epci, ...]:
        """Return the EPCI that have the most of the words, if they have any of them."""
        meant = set(said) - _GENERIC - _BEFORE - _GROUP | ({"metropole"} & set(said))
        shared = {one: len(meant.intersection(name)) for name, one in self._epcis.items()}
        most = max(shared.values(), default=0)
        if most:
            return tuple(one for one, count in shared.items() if count == most)
        return tuple(_alike(said, self._epcis, CLOSE)) if meant else ()

    def _beginning(self, bare: Sequence[str]) -> tuple[Commune, ...]:
        """Return the communes whose name begins with these words, misspelt, or is what begins them.

        « Monlouis » is Montlouis-sur-Loire; « Esvres-sur-Indre » is how Esvres is called.
        """
        longer: dict[str, list[Commune]] = {}
        for name, commune in self._communes.items():
            if len(name) > len(bare) and len(" ".join(name[: len(bare)])) >= SHORTEST_BEGINNING:
                longer.setdefault(_sound(name[: len(bare)]), []).append(commune)
        best = process.extract(
            _sound(bare), longer.keys(), scorer=fuzz.ratio, score_cutoff=CLOSE, limit=3
        )
        found = [one for sound, _, _ in best for one in longer[sound]]
        if found:
            return tuple(found[:MOST_OFFERED])
        whole = [one for name, one in self._communes.items() if tuple(bare[: len(name)]) == name]
        return tuple(whole[-1:])

    def _close(self, bare: Sequence[str], at_least: float) -> tuple[Commune, ...]:
        return tuple(_alike(bare, self._communes, at_least))

    @cached_property
    def _longest_first(self) -> list[tuple[tuple[str, ...], Commune | Epci]]:
        both: dict[tuple[str, ...], Commune | Epci] = {**self._communes, **self._own_names}
        return sorted(both.items(), key=lambda item: len(item[0]), reverse=True)

    @cached_property
    def _own_names(self) -> dict[tuple[str, ...], Epci]:
        """EPCI by the part of their name that is theirs alone, where it is no commune's."""
        own = {}
        for name, epci in self._epcis.items():
            start = next(place for place, word in enumerate(name) if word not in _GENERIC)
            if name[start:] not in self._communes:
                own[name[start:]] = epci
        return own

    @cached_property
    def _elsewhere(self) -> dict[tuple[str, ...], tuple[str, tuple[str, ...]]]:
        return {tuple(words(name)): (name, codes) for name, codes in self.places.elsewhere.items()}


def _places_of(name: Sequence[str], said: Sequence[str]) -> Iterable[int]:
    size = len(name)
    return (
        start for start in range(len(said) - size + 1) if tuple(said[start : start + size]) == name
    )


def _within(part: Sequence[str], name: Sequence[str]) -> bool:
    return bool(part) and any(True for _ in _places_of(tuple(part), name))


def _alike(
    said: Sequence[str], names: Mapping[tuple[str, ...], Place], at_least: float
) -> list[Place]:
    sounds = {_sound(name): place for name, place in names.items()}
    best = process.extract(
        _sound(said), sounds.keys(), scorer=fuzz.ratio, score_cutoff=at_least, limit=4
    )
    top = best[0][1] if best else 0
    return [sounds[name] for name, score, _ in best if score >= top - AS_CLOSE]


def _sound(said: Sequence[str]) -> str:
    """Return words much as they sound: « chato renaud » and « Château-Renault » are near."""
    text = " ".join(said).replace("ph", "f").replace("qu", "k").replace("y", "i")
    text = re.sub(r"eaux?|aux?", "o", text)
    return re.sub(r"(.)\1", r"\1", re.sub(r"(?<=\w)[tdsx]\b| ", "", text))
