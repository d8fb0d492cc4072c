"""Mail, SMS and webhooks: what is said to the outside, by whom, in which state."""
