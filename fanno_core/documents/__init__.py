"""Bytes to clean segments: readers by format, markup, segmentation."""
