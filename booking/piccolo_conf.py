"""Piccolo's entry: the engine and the one app with every package's tables."""

from piccolo.conf.apps import AppRegistry

from booking.db import DB

__all__ = ["APP_REGISTRY", "DB"]

APP_REGISTRY = AppRegistry(apps=["booking.piccolo_app"])
