"""The emulator's HTML: markup that escapes, one style, one layout, and the status page."""
