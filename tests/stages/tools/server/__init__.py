"""Tests of the tables of hosted tools."""
