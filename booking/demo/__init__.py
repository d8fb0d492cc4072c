"""The whole product on one machine, as processes that know nothing of being a demo but their environment."""
