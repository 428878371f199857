"""Fuzzing of the log families' parsers: seeded mutation (`run`) and coverage-guided search (`coverage`)."""
