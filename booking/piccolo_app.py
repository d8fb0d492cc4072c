"""Piccolo's list of tables, from every package."""

from pathlib import Path

from piccolo.conf.apps import AppConfig, table_finder

APP_CONFIG = AppConfig(
    app_name="booking",
    migrations_folder_path=str(Path(__file__).parent / "migrations"),
    table_classes=table_finder(
        modules=[
            "booking.people.tables",
            "booking.places.tables",
            "booking.places.rule_tables",
            "booking.places.search_tables",
            "booking.outbox",
            "booking.journal",
            "booking.idempotency",
            "booking.reservations.plan_tables",
            "booking.reservations.tables",
            "booking.reservations.life_tables",
            "booking.reservations.season_tables",
            "booking.billing.tables",
            "booking.locks.tables",
            "booking.messages.tables",
            "booking.feeds.tables",
        ]
    ),
)
