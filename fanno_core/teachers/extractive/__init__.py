"""The teacher without weights: reads key phrases and central sentences, and fills wordings with them."""

from fanno_core.teachers.extractive.teacher import ExtractiveTeacher

__all__ = ["ExtractiveTeacher"]
