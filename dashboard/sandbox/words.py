"""Invented names: of channels, of people, of bots. None of them is taken from Twitch."""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


CHANNELS = _words(
    """
    mothlight quillandbarrow saltmarshsam tidewitch gravelpath nachtfalterin faroleroviejo copperlark
    brumelune caboclovelho dalbitgoyang wintersedge kettledrumm laternenlotse brisadelsur sleepygeyser
    petitecendre pedracanta haneulbyeol oldharbourjo thornwickett bramblebyte moonlitforge rookandrye
    paperlantrn emberquay foxglovefern harrowgate_ mistralnine ottersong vellichora dovetailrun cinderplum
    hollowreedd soragumo amenotori ventodasera eichenrausch lunamenguant yukihitsuji marrowfen tinkerholt
    """
)
"""Logins of the first channels; ``mothlight`` is home."""

ADJECTIVES = _words(
    """
    amber ancient arctic autumn azure bashful bitter blazing bold brass brave bright broken bronze calm
    candid careful cheerful clever cloudy cobalt cold cosmic crimson crispy crooked curious dapper daring
    dawn deep dizzy dreamy drifting drowsy dusky dusty eager early earnest elder electric ember endless
    fabled faded fancy feral fierce floating foggy forest frosty frozen gentle giddy gilded glassy gloomy
    glowing golden grand granite grassy grumpy hasty hazy hidden hollow honest humble hungry icy idle indigo
    inky iron ivory jade jolly jumpy keen kind lanky lazy lilac little lone lost lucid lucky lunar mellow
    merry midnight mighty minty misty modest molten mossy muddy muted mystic neat nimble noble noisy
    northern oaken odd olive opal orange pale patient pearly perky pixel plain playful polar proud purple
    quick quiet quirky rainy rapid rare restless rosy royal ruby rustic rusty sable salty sandy scarlet
    secret serene shady sharp shiny shy silent silver sleepy slow smoky snappy snowy soft solar sour spicy
    spry starry steady stormy strange sturdy sunny swift tangy tepid tidal tiny tipsy topaz tranquil
    twilight umber urban vague vast velvet violet vivid wandering warm wary western wicked wild windy wise
    witty wooden woolly young zesty
    """
)

NOUNS = _words(
    """
    acorn anchor antler apple arrow ash aspen badger bagel barley basil beacon bear beetle birch biscuit
    bison bramble breeze brook buckle button cactus candle canyon caper cedar cello chestnut cicada cider
    citrus clover cobble comet coral cosmos cove coyote crane creek cricket crow crumb cypress daisy dingo
    dolphin donkey dove dragon drum dune eagle echo elk elm falcon feather fern ferret fiddle finch fjord
    flint fox frog gale garnet gecko ghost ginger glacier goose grove gull hamster harbor hare harp hawk
    hazel hedgehog heron hickory hornet ibis iguana island ivy jackal jasper jay juniper kelp kettle kite
    koala lagoon lantern lark laurel lemur lichen lily lizard llama lobster locust lotus lynx magpie mango
    mantis maple marlin marsh meadow melon meteor mink moose moth mountain muffin nebula nettle newt noodle
    oak oasis ocelot onion orbit orchid osprey otter owl oyster panda parrot pebble pelican penguin pepper
    petal pickle pigeon pine piper plum pond poppy prairie puffin quail quartz quokka rabbit raccoon radish
    raven reed reef ridge robin rook rover sage salmon sapling shrew shrimp skunk slate sloth snail sparrow
    sphinx spruce squid squirrel stoat stork stream swan tadpole tapir teapot tern thicket thistle thrush
    tiger toad torch trout tulip tundra turnip turtle valley viper vole vulture waffle walnut walrus warbler
    weasel whale willow wolf wombat wren yak yarrow zebra
    """
)

FORMS: tuple[tuple[bool, str, str, str], ...] = (
    (True, "", "", ""),
    (False, "", "", ""),
    (True, "", "_", ""),
    (False, "", "", "tv"),
    (True, "its", "", ""),
    (False, "", "_", ""),
    (True, "mr", "", ""),
    (False, "", "", "_"),
    (True, "x", "", "x"),
    *((n % 2 == 0, "", "", f"{n}") for n in range(7, 100)),
    *((n % 2 == 0, "", "_", f"{n}") for n in range(7, 100)),
)
"""Shapes of logins: adjective and noun (or noun and noun), and what stands before, between, after.

The first ones are used up first."""

WAVE_STEMS = _words(
    """
    mia emma olivia ava noah liam lucas mason ella zoe leo max nina lena jonas felix clara hugo alba iris
    pablo marta diego julia bruno rosa kevin laura tommy sasha
    """
)

LURKERS = _words(
    """
    stillwatcher0 drift_index quietcrawl viewledger onlinecounter_ pagekeeper9 channelsweep mutelistener
    roomcensus nightscan_x streamatlas_ overlapmill listgrazer idlebeacon7 tallyclerk0 shadowroster
    """
)

SERVICE_BOTS = _words(
    """
    helpfulowl_bot cratekeeperbot tinytimekeeper modlanternbot jukeboxsprite
    """
)

LOCAL_NAMES = {
    "ja": ("月影", "そらねこ", "ゆきうさぎ", "みかん", "夜更かし", "しろくま", "あめふり", "星の子"),
    "ko": ("하늘별", "달토끼", "겨울나무", "고양이발", "새벽바람", "단풍잎", "조용한곰"),
    "ru": (),
}
"""Display names that are not the login in other letters' case."""

COLORS = _words(
    """
    #FF0000 #0000FF #008000 #B22222 #FF7F50 #9ACD32 #FF4500 #2E8B57 #DAA520 #D2691E #5F9EA0 #1E90FF #FF69B4
    #8A2BE2 #00FF7F
    """
)
"""Twitch's fifteen free colours."""
