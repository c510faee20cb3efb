"""Tests of the house itself: its sizes, its words, what leaves it in the wheel."""
