"""Markup to plain prose: one file a markup language, each one function from text to text."""
