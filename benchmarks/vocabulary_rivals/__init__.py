"""Output layers of many classes, a file each."""
