"""Turns publishers' files into the record's yearly codings; nothing here is needed to use them.

One small module per theme, one function per indicator, found through `registry`.
"""
