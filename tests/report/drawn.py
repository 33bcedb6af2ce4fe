"""What a browser is asked of a page's charts."""

from __future__ import annotations

# Marks of a chart that cover something: a chart whose scales are broken has marks of no size.
DRAWN = """() => Object.fromEntries([...document.querySelectorAll(".chart")].map((chart) => [
  chart.id.replace("chart-", ""),
  [...chart.querySelectorAll(".role-mark path, .role-mark text")].filter((mark) => {
    const box = mark.getBoundingClientRect();
    return box.width + box.height > 4;
  }).length,
]))"""
