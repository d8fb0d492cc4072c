"""Umeå: the large neighbour."""

from booking.demo.things import (
    OtherDays,
    Place,
    Thing,
    Town,
    court,
    equipment,
    hall,
    part,
    room,
    vehicle,
    with_rules,
)

TOWN = Town("2480", "Umeå", 63.8258, 20.2630, "090-55 50 00", ("2401", "2460"))

LEVEL_TRACK = "Hiss från entrén, stegfritt till banan."

BIKES = Thing(
    "Elcykel", "bike", "bike", (), None, 1, units=6, features=("electric", "child_seat"),
    description="Elcyklar med korg; systemet väljer en laddad. Barnstol på två.",
    instructions="Ställ cykeln på laddning i stället med samma nummer.",
    accessibility="Trehjuling finns efter samtal.", rules={"max_min": 24 * 60, "gap_min": 15, "min_age": 15},
)  # fmt: skip

BUSES = Thing(
    "Lånebuss, 9 platser", "vehicle", "minibus", (), None, 9, units=3, features=("tow_bar", "lift"),
    description="Tre likadana bussar med rullstolslift; systemet väljer.",
    instructions="Kör bara om ditt körkort är visat för kommunen. Tanka till minst halv tank.",
    accessibility="Rullstolslift bak, två rullstolsplatser.",
    rules={"max_min": 3 * 24 * 60, "gap_min": 60, "needs_driver": True},
)  # fmt: skip

PLACES = (
    Place(
        "2480", "Udominate Arena", "Signalvägen 5, Umeå", 63.8205, 20.2480,
        (
            hall("A-hallen", "hall_a", (1,), 500, 1100, "stands", "scoreboard", "goals", "sound_system", surface="parquet"),
            hall("B-hallen", "hall_b", (2, 3), 80, 500, "mirrors"),
            part("Judodelen", "judo", (3,), "B-hallen", 200, "mirrors"),
            court(1, "badminton", 4, None),
            court(2, "badminton", 5, None),
            equipment("Tatamimattor", 40),
            equipment("Bärbar ljudanläggning", 2, "equipment.sound", words="Två högtalare, mixer och en mikrofon."),
        ),
        "A- och B-hall, judo och badminton.",
        exceptions=(OtherDays("Jul", (12, 24), (12, 25)),),
    ),
    Place(
        "2480", "Nolia friidrottshall", "Signalvägen 3, Umeå", 63.8215, 20.2520,
        (
            hall("Hela hallen", "athletics.whole", (1, 2), 800, 6000, "stands", "scoreboard", surface="rubber"),
            Thing(
                "Löparbanorna", "hall_part", "athletics.part", (1,), "Hela hallen", None, 3000,
                features=("changing_rooms", "showers"), surface="rubber",
                description="Rundbana 200 m och sex raka banor. Egna tider: vardagskvällar.",
                instructions="Spikskor högst 6 mm.", accessibility=LEVEL_TRACK, evenings=(16, 21),
            ),
            part("Innebandyytan", "floorball", (2,), "Hela hallen", 1000, "goals"),
            hall("Fotbollshallen", "football_hall", (3,), 300, 7000, "goals", surface="artificial_grass"),
            equipment("Häckar", 30),
            equipment("Tidtagning", 1, words="Fotoceller och startpistol; utbildning krävs."),
        ),
        "Friidrott, innebandy och fotboll inomhus.",
        holiday=(10, 18),
    ),
    Place(
        "2480", "Stadsbiblioteket Väven", "Storgatan 46A, Umeå", 63.8240, 20.2640,
        (
            room("Möteslokal Älven", "meeting_room", 1, 20, 40, "screen", "video", "whiteboard", "hearing_loop"),
            with_rules(
                room("Aulan", "assembly_hall", 2, 150, 200, "stage", "projector", "sound_system", "hearing_loop"),
                kinds=("association", "municipal_unit", "company"),
            ),
            vehicle("Minibuss, 9 platser", "minibus", 3, 9),
            vehicle("Elbil", "car", 4, 5, "electric"),
            BUSES,
            BIKES,
        ),
        "Möteslokaler och fordonspool i centrum.",
        hours=(0, 24),
        weekend=(0, 24),
        rules={"quota_week": 20},
    ),
)  # fmt: skip
