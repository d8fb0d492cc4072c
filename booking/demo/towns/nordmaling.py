"""Nordmaling: the home town of the demonstration."""

from dataclasses import replace

from booking.demo.things import (
    OtherDays,
    Place,
    Season,
    Thing,
    Town,
    court,
    equipment,
    hall,
    part,
    room,
    vehicle,
)

TOWN = Town(
    "2401", "Nordmaling", 63.5690, 19.5020, "0930-55 50 00", ("2284", "2460", "2480"),
    rules={"own_first_days": 14, "preempt_days": 7},  # own residents first; a match may displace training
)  # fmt: skip

# The association's house may be used by anybody of age, after staff have said yes to it.
CLUB_HOUSE = replace(
    room("Klubbstugan", "cafeteria", 4, 50, 85, "kitchen", "parking"),
    description="Stuga med kök och eldstad vid planen. Fester och läger godkänns av fritidsenheten.",
    rules={
        "gap_min": 60, "max_min": 24 * 60, "min_age": 18, "approval": "required", "pending_holds": True,
        "answer_days": 2, "terms": "2026-1", "notice_min": 48 * 60,
    },
)  # fmt: skip

LANES = Thing(
    "Simbana", "lane", "swim_lane", (), "Simbassängen", 8, units=6,
    features=("changing_rooms", "showers"), surface="water",
    description="En av sex banor; systemet väljer vilken.",
    instructions="Egen livräddare krävs. Dra inte ut linorna.", accessibility="Bassänglift vid bana 1.",
)  # fmt: skip

PLACES = (
    Place(
        "2401", "Hammarhallen", "Skolgatan 8, Nordmaling", 63.5712, 19.4958,
        (
            hall("Hela hallen", "hammarhallen.whole", (1, 2, 3, 4), 120, 800, "stands", "goals", "sound_system"),
            part("Halva hallen, södra", "hammarhallen.half", (1, 2), "Hela hallen", 400, "goals"),
            part("Halva hallen, norra", "hammarhallen.half", (3, 4), "Hela hallen", 400),
            *(court(number, "hammarhallen.badminton", number, "Hela hallen") for number in range(1, 5)),
            equipment("Gymnastikmattor", 12),
            equipment("Innebandymål", 4, words="Par om två räcker till en plan; fyra mål finns."),
            equipment("Resultattavla", 1, words="Bärbar, med fjärrkontroll."),
        ),
        "Fullstor idrottshall vid skolan med läktare för 120 personer.",
    ),
    Place(
        "2401", "Norrskenshallen", "Kungsgatan 31, Nordmaling", 63.5661, 19.5090,
        (
            hall("Hela hallen", "norrskenshallen.whole", (1, 2), 400, 1100, "stands", "scoreboard", "goals"),
            part("Halva hallen, öst", "norrskenshallen.half", (1,), "Hela hallen", 550, "goals"),
            part("Halva hallen, väst", "norrskenshallen.half", (2,), "Hela hallen", 550, "mirrors"),
            Thing(
                "Isen", "ice", "norrskenshallen.ice", (3,), None, 300, 1800,
                features=("stands", "scoreboard", "changing_rooms", "showers"), surface="ice_surface",
                description="Konstfryst, spolas en kvart före varje pass.",
                instructions="Ingen på isen före spolningen är klar. Hjälm på barn.",
                accessibility="Stegfritt till rinken; kälke finns att låna.", rules={"gap_min": 15},
            ),
            room("Cafeterian", "cafeteria", 4, 60, 90, "kitchenette"),
            equipment("Kortmål", 6, words="För is- och innebandy i halva hallen."),
            equipment("Projektor", 2, words="Med duk på stativ."),
        ),
        "Kommunens största anläggning: hall, is och cafeteria under samma tak.",
        doors={"Huvudentré": None, "Isentré": ("Isen",)},
    ),
    Place(
        "2401", "Rödviksvallen", "Rödviksvägen 2, Nordmaling", 63.5745, 19.5160,
        (
            Thing(
                "Gräsplan A", "pitch", "grass_11", (1, 2), None, 500, 7140,
                features=("stands", "floodlight", "changing_rooms", "showers", "goals"), surface="grass",
                description="105 × 68 m, läktare på långsidan.",
                instructions="Spela inte om planskötaren har stängt planen: ring jouren.",
                accessibility="Grusgång till planen, parkering för rörelsehindrade vid grinden.",
            ),
            Thing(
                "Gräsplan A, halva", "pitch", "grass_7", (1,), "Gräsplan A", None, 3570,
                features=("changing_rooms", "showers", "goals"), surface="grass",
                description="7-spelarplan på norra halvan.", instructions="Ställ tillbaka målen bakom linjen.",
                accessibility="Grusgång till planen.",
            ),
            Thing(
                "Grusplan", "pitch", "gravel_11", (3,), None, None, 6800,
                features=("floodlight", "changing_rooms"), surface="gravel",
                description="Upplyst till 22.", instructions="Släck belysningen vid grinden.",
                accessibility="Jämnt underlag ända från parkeringen.",
            ),
            CLUB_HOUSE,
        ),
        "Fotbollsplaner med omklädningsrum.",
        seasons=(Season("Sommar", (5, 1), (9, 30), (7, 23), (7, 23)),),
        doors={"Omklädningsrum": None},
    ),
    Place(
        "2401", "Nordmalings simhall", "Skolgatan 10, Nordmaling", 63.5716, 19.4969,
        (
            Thing(
                "Simbassängen", "pool", "pool", (1, 2, 3, 4, 5, 6), None, 40, 313,
                features=("changing_rooms", "showers", "lift"), surface="water",
                description="25 meter, sex banor, 27 grader.",
                instructions="Egen livräddare med intyg. Duscha före bad.",
                accessibility="Bassänglift och duschrullstol.",
            ),
            LANES,
            equipment("Flytvästar", 15, words="Barnstorlekar."),
        ),
        "25-metersbassäng, hyrs utan personal till grupper med egen livräddare.",
        holiday=(10, 16),
        seasons=(Season("Sommarstängt", (6, 22), (8, 9), None, None),),
        exceptions=(
            OtherDays("Jul", (12, 24), (12, 26)),
            OtherDays("Nyårsafton", (12, 31), (12, 31), (8, 14)),
        ),
    ),
    Place(
        "2401", "Kommunhuset", "Kungsvägen 54, Nordmaling", 63.5687, 19.5031,
        (
            room("Samlingssalen", "assembly_hall", 1, 80, 120, "projector", "sound_system", "hearing_loop", "stage"),
            room("Mötesrum Levar", "meeting_room", 2, 12, 28, "screen", "video", "whiteboard"),
            vehicle("Minibuss, 9 platser", "minibus", 3, 9, "tow_bar"),
            vehicle("Elbil", "car", 4, 5, "electric", "child_seat"),
            equipment("Blädderblock", 3),
            equipment("Bärbar projektor", 2),
        ),
        "Möteslokaler och kommunens fordon. Nyckelskåpet sitter i entrén.",
        hours=(0, 24),
        weekend=(0, 24),
        doors={"Entré": None, "Nyckelskåp": ("Minibuss, 9 platser", "Elbil")},
    ),
)  # fmt: skip
