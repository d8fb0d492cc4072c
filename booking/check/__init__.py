"""`booking check`: the whole story, by HTTP and MQTT, against a product of its own. Exit 0 or the step that failed."""
