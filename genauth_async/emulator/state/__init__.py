"""Users, grants, keys and all else that an emulator remembers."""
