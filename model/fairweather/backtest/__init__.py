"""Forecasts made again from every year since 2008, with what was known then, and scored."""
