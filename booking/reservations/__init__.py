"""The calendar: who has what, when. Enter here; it calls down."""
