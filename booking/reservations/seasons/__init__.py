"""Season rounds: associations wish for weekly times, the solver proposes, staff decide, series are booked."""
