"""Örnsköldsvik: the neighbour to the south."""

from booking.demo.things import (
    OtherDays,
    Place,
    Season,
    Thing,
    Town,
    equipment,
    hall,
    part,
    room,
    vehicle,
    with_rules,
)  # fmt: skip

TOWN = Town("2284", "Örnsköldsvik", 63.2909, 18.7152, "0660-55 50 00", ("2401",), sport_break=9)

PLACES = (
    Place(
        "2284", "Skyttishallen", "Skyttis 1, Örnsköldsvik", 63.2990, 18.6930,
        (
            hall("Stora hallen", "large_hall", (1, 2), 600, 1200, "stands", "scoreboard", "goals", surface="parquet"),
            part("Halva hallen A", "large_hall.half", (1,), "Stora hallen", 600, "goals"),
            part("Halva hallen B", "large_hall.half", (2,), "Stora hallen", 600),
            Thing(
                "Ishallen", "ice", "ice", (3,), None, 800, 1800,
                features=("stands", "scoreboard", "changing_rooms", "showers"), surface="ice_surface",
                description="Full rink med läktare för 800.", instructions="Vänta tills spolmaskinen är inne.",
                accessibility="Hiss till läktaren, stegfritt till rinken.", rules={"gap_min": 15},
            ),
            equipment("Handbollsmål", 2),
            equipment("Sekretariatsbord", 2),
        ),
        "Idrottsområde med hall och is.",
        exceptions=(OtherDays("Jul", (12, 24), (12, 26)),),
    ),
    Place(
        "2284", "Parkskolans gymnastiksal", "Hantverkaregatan 18, Örnsköldsvik", 63.2888, 18.7110,
        (
            hall("Gymnastiksalen", "small_hall", (1,), 30, 250, "mirrors", surface="wood"),
            equipment("Tjockmattor", 4),
        ),
        "Liten hall för träning, dans och gymnastik.",
        seasons=(Season("Skolans sommar", (6, 20), (8, 10), (16, 21), None),),
    ),
    Place(
        "2284", "Geneskolans gymnastiksal", "Genevägen 4, Husum", 63.3300, 19.1450,
        (
            hall("Gymnastiksalen", "small_hall", (1,), 30, 240, "goals", surface="wood"),
            room("Lärosalen", "meeting_room", 2, 24, 50, "whiteboard", "screen"),
        ),
        "Liten hall i Husum, närmast Nordmaling.",
    ),
    Place(
        "2284", "Arken", "Järnvägsgatan 10, Örnsköldsvik", 63.2900, 18.7170,
        (
            with_rules(
                room("Aulan", "assembly_hall", 1, 200, 260, "stage", "projector", "sound_system", "piano", "hearing_loop"),
                notice_min=24 * 60, purposes=("meeting", "event", "other"),
            ),
            room("Mötesrum Ulvön", "meeting_room", 2, 14, 30, "screen", "video"),
            vehicle("Minibuss, 9 platser", "minibus", 3, 9),
            equipment("Notställ", 20),
        ),
        "Möten och minibuss mitt i stan.",
        hours=(0, 24),
        weekend=(0, 24),
    ),
)  # fmt: skip
