"""Image networks, one family a file, for photographs and for components alike."""
