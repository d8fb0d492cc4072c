"""Our own MQTT broker for the demo, the tests and a single machine: mosquitto, else the iotcore wheel.

It listens on loopback only. Whoever starts `Broker.argv` owns the process; its pid is kept in the state
directory, so that `add_accounts` can tell it to read the accounts again. Settings: lock protocol §15.4, §15.5.
"""

from booking.broker.accounts import add_accounts, password_of, remove_account
from booking.broker.dynamic import dynamic_security, prepare_dynamic
from booking.broker.files import SERVER
from booking.broker.preparing import Broker, BrokerMissing, prepare

__all__ = [
    "SERVER",
    "Broker",
    "BrokerMissing",
    "add_accounts",
    "dynamic_security",
    "password_of",
    "prepare",
    "prepare_dynamic",
    "remove_account",
]
