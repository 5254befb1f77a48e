"""Measurements of the record and of the engine; nothing here is part of the package."""
