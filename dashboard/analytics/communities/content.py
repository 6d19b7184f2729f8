"""What kind of content a category is: playing, talking, making music. For labels and filters."""

from __future__ import annotations

from typing import Final

GAMING: Final = "gaming"

_BY_CATEGORY: Final = {
    "just chatting": "talk",
    "talk shows & podcasts": "talk",
    "politics": "talk",
    "asmr": "asmr",
    "irl": "outdoors",
    "travel & outdoors": "outdoors",
    "animals, aquariums, and zoos": "outdoors",
    "pools, hot tubs, and beaches": "outdoors",
    "music": "music",
    "djs": "music",
    "singing": "music",
    "art": "creative",
    "makers & crafting": "creative",
    "miniatures & models": "creative",
    "food & drink": "food",
    "fitness & health": "sport",
    "sports": "sport",
    "football": "sport",
    "science & technology": "tech",
    "software and game development": "tech",
    "crypto": "tech",
    "slots": "casino",
    "virtual casino": "casino",
    "poker": "casino",
    "roulette": "casino",
    "casino": "casino",
    "special events": "events",
    "always on": "events",
    "co-working & studying": "talk",
    "beauty & body art": "creative",
    "tabletop rpgs": "tabletop",
    "board games": "tabletop",
    "chess": "tabletop",
    "watch parties": "talk",
    "games + demos": GAMING,
}

_LANGUAGES: Final = {
    "ar": "Arabic", "bg": "Bulgarian", "ca": "Catalan", "cs": "Czech", "da": "Danish", "de": "German",
    "el": "Greek", "en": "English", "es": "Spanish", "fi": "Finnish", "fr": "French", "he": "Hebrew",
    "hi": "Hindi", "hu": "Hungarian", "id": "Indonesian", "it": "Italian", "ja": "Japanese",
    "ko": "Korean", "ms": "Malay", "nl": "Dutch", "no": "Norwegian", "pl": "Polish", "pt": "Portuguese",
    "ro": "Romanian", "ru": "Russian", "sk": "Slovak", "sv": "Swedish", "th": "Thai", "tl": "Filipino",
    "tr": "Turkish", "uk": "Ukrainian", "vi": "Vietnamese", "zh": "Chinese", "zh-hk": "Cantonese",
    "asl": "Sign language",
}  # fmt: skip

_LANGUAGE_TAGS: Final = {
    "english", "español", "espanol", "spanish", "deutsch", "german", "français", "francais", "french",
    "italiano", "italian", "português", "portugues", "portuguese", "русский", "russian", "polski", "polish",
    "türkçe", "turkish", "日本語", "한국어", "中文", "nederlands", "svenska", "čeština", "magyar", "suomi",
}  # fmt: skip


def content_type(category: str) -> str:
    """The kind of content of a category: "gaming" for every game, "" when no category is known."""
    if not category:
        return ""
    return _BY_CATEGORY.get(category.casefold(), GAMING)


def language_name(code: str) -> str:
    """The language in English; the code itself where it is not known, "" for Twitch's "other"."""
    folded = code.casefold()
    return "" if folded == "other" else _LANGUAGES.get(folded, code)


def is_language_tag(tag: str) -> bool:
    """Whether a tag only tells the language, that is known better from elsewhere."""
    folded = tag.casefold()
    return folded in _LANGUAGE_TAGS or folded in {name.casefold() for name in _LANGUAGES.values()}
