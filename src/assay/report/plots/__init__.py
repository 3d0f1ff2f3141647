"""Plots as SVG written by hand."""
