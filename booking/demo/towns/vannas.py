"""Vännäs: the neighbour to the north. Its hall is divided in halves and in thirds that overlap them."""

from booking.demo.things import OtherDays, Place, Season, Thing, Town, equipment, hall, part, room

TOWN = Town(
    "2460", "Vännäs", 63.9070, 19.7510, "0935-55 50 00", ("2401", "2480"),
    rules={"quota_open": 60, "preempt_days": 14},
    exceptions=(OtherDays("Julhelgen", (12, 24), (12, 25)),),
)  # fmt: skip

PLACES = (
    Place(
        "2460", "Vännäs idrottshall", "Östra Järnvägsgatan 6, Vännäs", 63.9085, 19.7560,
        (
            hall("Hela hallen", "hall", (1, 2, 3, 4), 250, 900, "stands", "scoreboard", "goals", "sound_system"),
            part("Halva hallen A", "hall.half", (1, 2), "Hela hallen", 450, "goals"),
            part("Halva hallen B", "hall.half", (3, 4), "Hela hallen", 450),
            part("Tredjedel 1", "hall.third", (1,), "Hela hallen", 300, "goals"),
            part("Tredjedel 2", "hall.third", (2, 3), "Hela hallen", 300),
            part("Tredjedel 3", "hall.third", (4,), "Hela hallen", 300, "mirrors"),
            equipment("Innebandysarg", 1),
            equipment("Mattor", 10),
            equipment("Plintar", 4),
        ),
        "Fullstor hall nära resecentrum, delbar i halvor eller tredjedelar.",
        holiday=(9, 18),
    ),
    Place(
        "2460", "Hammarskolan", "Hammarvägen 12, Vännäs", 63.9040, 19.7440,
        (
            hall("Gymnastiksalen", "small_hall", (1,), 30, 220, "mirrors", surface="wood"),
            room("Mötesrummet", "meeting_room", 2, 16, 35, "whiteboard"),
        ),
        "Gymnastiksal och möteslokal i skolan.",
        seasons=(Season("Skolans sommar", (6, 15), (8, 14), (17, 21), None),),
    ),
    Place(
        "2460", "Vännäs ishall", "Idrottsvägen 1, Vännäs", 63.9110, 19.7600,
        (
            Thing(
                "Isen", "ice", "ice", (1,), None, 400, 1800,
                features=("stands", "scoreboard", "changing_rooms", "showers"), surface="ice_surface",
                description="Is från september till mars.", instructions="Hjälm på barn. Släck omklädningsrummen.",
                accessibility="Stegfritt till rinken.", rules={"gap_min": 15},
            ),
        ),
        "Ishall, öppen september till mars.",
        seasons=(Season("Ingen is", (4, 1), (8, 31), None, None),),
    ),
)  # fmt: skip
